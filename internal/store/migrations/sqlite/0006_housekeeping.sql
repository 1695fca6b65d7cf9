-- +goose Up
-- What was revoked for good: API keys, and connections at a version. It is
-- written in the transaction that revokes, and copied to a file beside the
-- database, so that a restored backup can be told what it does not know.
CREATE TABLE revocation_journal (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX revocation_journal_newest ON revocation_journal (created_at);
INSERT INTO revocation_journal (id, kind, subject, version, created_at)
  SELECT 'api_key/' || id || '/0', 'api_key', id, 0, revoked_at FROM api_keys WHERE revoked_at > 0;
INSERT INTO revocation_journal (id, kind, subject, version, created_at)
  SELECT 'connection/' || id || '/' || version, 'connection', id, version, expired_at FROM connections WHERE status = 'expired';
INSERT INTO revocation_journal (id, kind, subject, version, created_at)
  SELECT 'connection/' || subject || '/9223372036854775807', 'connection', subject, 9223372036854775807, MAX(created_at)
  FROM audit WHERE action = 'connection.disconnected' GROUP BY subject;

-- Where a chain begins when its oldest records were removed: the number and the
-- hash of the last one that was.
ALTER TABLE audit_chains ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE audit_chains ADD COLUMN removed_hash TEXT NOT NULL DEFAULT '';
