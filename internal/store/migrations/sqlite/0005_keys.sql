-- +goose Up
-- The names of the keys that wrap data keys. At most one is primary.
CREATE TABLE ring_keys (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX ring_keys_primary ON ring_keys (state) WHERE state = 'primary';

-- The keys that seal what an organisation has, each wrapped by a ring key. One
-- of each organisation is not retired.
CREATE TABLE data_keys (
  id BIGINT PRIMARY KEY,
  organisation_id TEXT NOT NULL,
  wrapped BLOB NOT NULL,
  wrapped_by TEXT NOT NULL,
  seals BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  replace_at BIGINT NOT NULL,
  retired_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX data_keys_active ON data_keys (organisation_id) WHERE retired_at = 0;
CREATE INDEX data_keys_wrapped_by ON data_keys (wrapped_by);

-- The digest of each connection's credential, and of the one before it: an old
-- row that is put back differs from it.
CREATE TABLE credential_marks (
  connection_id TEXT PRIMARY KEY,
  digest BLOB NOT NULL,
  previous_digest BLOB
) WITHOUT ROWID;

-- Sealed bytes begin with the key that sealed them: what is left of a key is
-- found without reading everything.
CREATE INDEX connections_sealed_by ON connections (substr(credential, 1, 9)) WHERE credential IS NOT NULL;
CREATE INDEX connections_previous_sealed_by ON connections (substr(previous_credential, 1, 9)) WHERE previous_credential IS NOT NULL;
CREATE INDEX revocations_sealed_by ON revocations (substr(credential, 1, 9));
CREATE INDEX link_sessions_sealed_by ON link_sessions (substr(flow, 1, 9)) WHERE flow IS NOT NULL;
CREATE INDEX idempotency_keys_sealed_by ON idempotency_keys (substr(answer, 1, 9));
CREATE INDEX webhook_endpoints_sealed_by ON webhook_endpoints (substr(sealed_secret, 1, 9));
CREATE INDEX webhook_endpoints_previous_sealed_by ON webhook_endpoints (substr(previous_secret, 1, 9)) WHERE previous_secret IS NOT NULL;
