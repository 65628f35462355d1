import { type Exchange, ReferenceAdapter } from "../reference-adapter.ts";

/** An adapter that gives fetch handlers another request. */
export class InsteadOfRequest extends ReferenceAdapter {
  other(request: Request, _exchange: Exchange, _mountPath: string): Request {
    return request;
  }

  override request(exchange: Exchange, mountPath: string): Request {
    return this.other(super.request(exchange, mountPath), exchange, mountPath);
  }
}

/** An adapter that sends another response than the fetch handler gave. */
export class InsteadOfResponse extends ReferenceAdapter {
  async other(response: Response): Promise<Response> {
    return response;
  }

  override async sendResponse(exchange: Exchange, response: Response): Promise<void> {
    await super.sendResponse(exchange, await this.other(response));
  }
}
