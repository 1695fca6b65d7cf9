-- +goose Up
-- What an organisation decided for all its sessions, as JSON.
ALTER TABLE organisations ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';

ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX api_keys_newest ON api_keys (organisation_id, environment, created_at, id);

-- The registrable domain of a live client app; '' in the sandbox.
ALTER TABLE client_apps ADD COLUMN registrable TEXT NOT NULL DEFAULT '';

-- A registrable domain belongs to the first organisation that has a live client
-- app under it, for as long as it has one.
CREATE TABLE domain_claims (
  registrable TEXT PRIMARY KEY,
  organisation_id TEXT NOT NULL
);

-- The status of the published API, which lists are filtered by.
ALTER TABLE link_sessions ADD COLUMN status TEXT NOT NULL DEFAULT '';
UPDATE link_sessions SET status = CASE state WHEN 'completed' THEN 'completed' WHEN 'denied' THEN 'denied'
  WHEN 'failed' THEN 'failed' WHEN 'expired' THEN 'failed' WHEN '2fa' THEN 'awaiting_2fa' WHEN 'trying' THEN 'pending'
  WHEN 'redirect' THEN 'pending' WHEN 'wait' THEN 'pending' ELSE 'initialized' END;
CREATE INDEX link_sessions_newest ON link_sessions (organisation_id, environment, created_at, id);

-- The answer to an init that may be asked for again with the same key.
CREATE TABLE idempotency_keys (
  organisation_id TEXT NOT NULL,
  environment TEXT NOT NULL,
  key_hash TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  session_id TEXT NOT NULL,
  answer BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (organisation_id, environment, key_hash)
);
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);

-- When tries were made against a key (an account, an address), oldest first,
-- as microseconds separated by commas.
CREATE TABLE attempts (
  key TEXT PRIMARY KEY,
  times TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX attempts_oldest ON attempts (updated_at);

-- The transaction that appended an event: readers with a cursor read in the
-- order of transactions, so that one that commits late is not passed by.
ALTER TABLE events ADD COLUMN transaction_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE events ALTER COLUMN transaction_id SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX events_order ON events (organisation_id, environment, transaction_id, position);

-- The secret before the last rotation, which still signs until then.
ALTER TABLE webhook_endpoints ADD COLUMN previous_secret BYTEA;
ALTER TABLE webhook_endpoints ADD COLUMN previous_until BIGINT NOT NULL DEFAULT 0;

ALTER TABLE deliveries ADD COLUMN queued_at BIGINT NOT NULL DEFAULT 0;
UPDATE deliveries SET queued_at = updated_at;
CREATE INDEX deliveries_newest ON deliveries (endpoint_id, queued_at);

-- Audit records are chained by hash, in lanes, so that records of different
-- subjects need not wait for each other. Records from before have the number 0.
ALTER TABLE audit ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX audit_chain ON audit (organisation_id, lane, number) WHERE number > 0;
CREATE TABLE audit_chains (
  organisation_id TEXT NOT NULL,
  lane BIGINT NOT NULL,
  length BIGINT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (organisation_id, lane)
);
