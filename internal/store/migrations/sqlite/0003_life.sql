-- +goose Up
-- When the provider is next asked about a live connection: 1 is at once, 0
-- never. Those from before are due, as are those that the release before makes.
ALTER TABLE connections ADD COLUMN check_due_at BIGINT NOT NULL DEFAULT 1;
ALTER TABLE connections ADD COLUMN check_lease_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN check_failures BIGINT NOT NULL DEFAULT 0;
CREATE INDEX connections_check_due ON connections (provider, check_due_at) WHERE status = 'active' AND check_due_at > 0;

-- A refresh that was begun and not finished: its lease is over and still there.
CREATE INDEX connections_refresh_begun ON connections (refresh_lease_until) WHERE refresh_lease_until > 0;

-- The credential before the last refresh, until the new one is proved. One that
-- was restored is refreshed once more and not kept again.
ALTER TABLE connections ADD COLUMN previous_credential BLOB;
ALTER TABLE connections ADD COLUMN restored BOOLEAN NOT NULL DEFAULT FALSE;

-- When the credential ends for good, and when its app is warned of that; 0 is
-- never.
ALTER TABLE connections ADD COLUMN credential_ends_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN warn_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX connections_warn ON connections (warn_at) WHERE warn_at > 0;
