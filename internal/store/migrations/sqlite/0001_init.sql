-- +goose Up
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE organisations (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisations (id),
  environment TEXT NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE client_apps (
  id TEXT PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisations (id),
  environment TEXT NOT NULL,
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  domain TEXT NOT NULL,
  detail TEXT NOT NULL,
  whitelabel_enabled BOOLEAN NOT NULL,
  suspended BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX client_apps_oldest ON client_apps (organisation_id, environment, created_at, id);

CREATE TABLE link_sessions (
  id TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL UNIQUE,
  organisation_id TEXT NOT NULL,
  environment TEXT NOT NULL,
  client_app_id TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  request TEXT NOT NULL,
  progress TEXT NOT NULL,
  flow BLOB
);
CREATE INDEX link_sessions_open ON link_sessions (expires_at)
  WHERE state NOT IN ('completed', 'denied', 'failed', 'expired');

CREATE TABLE connections (
  id TEXT PRIMARY KEY,
  organisation_id TEXT NOT NULL,
  environment TEXT NOT NULL,
  client_app_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  upstream_id TEXT NOT NULL,
  client_reference_id TEXT NOT NULL,
  status TEXT NOT NULL,
  detail TEXT NOT NULL,
  imported BOOLEAN NOT NULL,
  credential BLOB,
  credential_expires_at BIGINT NOT NULL,
  refresh_lease_until BIGINT NOT NULL,
  version BIGINT NOT NULL,
  event_sequence BIGINT NOT NULL,
  expiry_reason TEXT NOT NULL,
  expired_at BIGINT NOT NULL,
  last_checked_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX connections_no_twins
  ON connections (organisation_id, environment, provider, upstream_id, client_reference_id);
CREATE INDEX connections_newest ON connections (organisation_id, environment, created_at, id);
CREATE INDEX connections_reference ON connections (organisation_id, environment, client_reference_id, created_at, id);

CREATE TABLE revocations (
  id TEXT PRIMARY KEY,
  connection TEXT NOT NULL,
  credential BLOB NOT NULL,
  attempts BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX revocations_due ON revocations (due_at);

CREATE TABLE webhook_endpoints (
  id TEXT PRIMARY KEY,
  organisation_id TEXT NOT NULL REFERENCES organisations (id),
  environment TEXT NOT NULL,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL,
  sealed_secret BLOB NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX webhook_endpoints_owner ON webhook_endpoints (organisation_id, environment, created_at, id);

CREATE TABLE events (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  organisation_id TEXT NOT NULL,
  environment TEXT NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  body BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (subject, sequence)
);

CREATE TABLE deliveries (
  endpoint_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  last_status BIGINT NOT NULL,
  excerpt TEXT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (endpoint_id, subject, sequence)
) WITHOUT ROWID;

-- One row for each (endpoint, subject) that has something to deliver: the next
-- one. Claiming looks here alone, so it costs what is ready and never a scan.
CREATE TABLE delivery_heads (
  endpoint_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  PRIMARY KEY (endpoint_id, subject)
) WITHOUT ROWID;
CREATE INDEX delivery_heads_due ON delivery_heads (due_at);

CREATE TABLE audit (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  organisation_id TEXT NOT NULL,
  environment TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX audit_newest ON audit (organisation_id, environment, created_at);
