import expressSession = require("@kyb/session-express");
import nodeSession = require("@kyb/session-node");

const manager = new expressSession.SessionManager<{ visits: number }>();
export const middleware = nodeSession.session(manager);
export const list = manager.list({ userId: "alice" });
