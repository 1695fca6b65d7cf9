/** Which operation of the API each method calls. Iterators are not here: they call the method of one page. */
export const operations = {
  "link.init": "POST /v2/link/init",
  "link.confirm": "POST /v2/link/confirm",
  "link.status": "GET /v2/link/{clientSecret}",
  "link.session": "GET /v2/link/sessions/{id}",
  "link.sessions": "GET /v2/link/sessions",
  "link.submit": "POST /v2/link/{clientSecret}/submit",
  "link.delete": "DELETE /v2/link/{clientSecret}",

  "account.whoami": "GET /v2/account/whoami",
  "account.settings": "GET /v2/account/settings",
  "account.updateSettings": "PATCH /v2/account/settings",

  "connections.list": "GET /v2/account/connections",
  "connections.get": "GET /v2/account/connections/{id}",
  "connections.import": "POST /v2/account/connections/import",
  "connections.reimport": "PATCH /v2/account/connections/import/{id}",
  "connections.invalidate": "POST /v2/account/connections/{id}/invalidate",
  "connections.disconnect": "DELETE /v2/account/connections/{id}",
  "connections.settings": "GET /v2/account/connections/{id}/settings",
  "connections.updateSettings": "PATCH /v2/account/connections/{id}/settings",

  "clientApps.list": "GET /v2/client-apps",
  "clientApps.get": "GET /v2/client-apps/{id}",
  "clientApps.create": "POST /v2/client-apps",
  "clientApps.update": "PATCH /v2/client-apps/{id}",
  "clientApps.delete": "DELETE /v2/client-apps/{id}",

  "apiKeys.list": "GET /v2/api-keys",
  "apiKeys.get": "GET /v2/api-keys/{id}",
  "apiKeys.create": "POST /v2/api-keys",
  "apiKeys.update": "PATCH /v2/api-keys/{id}",
  "apiKeys.delete": "DELETE /v2/api-keys/{id}",

  "webhookEndpoints.list": "GET /v2/webhook-endpoints",
  "webhookEndpoints.get": "GET /v2/webhook-endpoints/{id}",
  "webhookEndpoints.create": "POST /v2/webhook-endpoints",
  "webhookEndpoints.update": "PATCH /v2/webhook-endpoints/{id}",
  "webhookEndpoints.delete": "DELETE /v2/webhook-endpoints/{id}",
  "webhookEndpoints.rotateSecret": "POST /v2/webhook-endpoints/{id}/rotate-secret",
  "webhookEndpoints.deliveries": "GET /v2/webhook-endpoints/{id}/deliveries",
  "webhookEndpoints.replay": "POST /v2/webhook-endpoints/{id}/replay",

  "events.list": "GET /v2/events",
  "audit.list": "GET /v2/audit",
  "access.self": "GET /v2/access/self",
  "access.fetch": "GET /v2/access/proxy/{path}", // and with every other method
};

/** Methods that read page after page. */
export const iterators = /^\w+\.(all\w*|pages)$/;
