import type { ApiCall } from "./api-call.ts";
import { forbidden } from "./api-error.ts";
import type { Answer } from "./respond.ts";
import {
  basicMetricsView,
  configurationView,
  featuresView,
  statisticsView,
  timestamp,
} from "./views.ts";

/** `GET /metrics`. */
export async function showMetrics(call: ApiCall): Promise<Answer> {
  if (!(await call.permits())) throw forbidden();
  const metrics = await call.manager.metrics();
  const body = {
    success: true,
    metrics: { ...basicMetricsView(metrics), ...statisticsView(metrics) },
  };
  return { status: 200, body };
}

/** `GET /status`: to everybody whether it works and what is switched on; with permission how it is set up. */
export async function showStatus(call: ApiCall): Promise<Answer> {
  const isPermitted = await call.permits();
  const status = await call.manager.status();
  const { metrics } = status;
  const everybody = {
    success: true,
    status: status.status,
    features: featuresView(status.features),
  };
  if (!isPermitted) return { status: 200, body: everybody };
  const body = {
    ...everybody,
    version: status.version,
    configuration: configurationView(status.configuration),
    current_metrics: metrics === undefined ? undefined : basicMetricsView(metrics),
    statistics: metrics === undefined ? undefined : statisticsView(metrics),
    timestamp: timestamp(status.timestamp),
  };
  return { status: 200, body };
}

/** `GET /openapi.json`. The document is loaded when it is first asked for, so that it costs nobody else anything. */
export async function showOpenApi(call: ApiCall): Promise<Answer> {
  const { default: document } = await import("./openapi.json", { with: { type: "json" } });
  // Relative to the document, so that it is true below every mount point and behind every proxy.
  const [folder = ""] = call.options.basePath.split("/").slice(-1);
  const servers = document.servers.map((server) => ({ ...server, url: `../${folder}` }));
  return { status: 200, body: { ...document, servers } };
}
