-- +goose Up
-- How many deliveries an endpoint is sent in a second at most; 0 is the
-- server's default.
ALTER TABLE webhook_endpoints ADD COLUMN rate_limit BIGINT NOT NULL DEFAULT 0;

-- Until when an endpoint's rate is used up by what was claimed for it: the
-- theoretical arrival time of the generic cell rate algorithm. Apart from the
-- endpoints, which facts hold while they queue events for them.
CREATE TABLE endpoint_paces (
  endpoint_id TEXT PRIMARY KEY,
  paced_until BIGINT NOT NULL
);

-- A claimed head is hidden until its lease is over. That is in no index, so that a
-- claim writes rows and nothing else, and there is room for it on their pages.
ALTER TABLE delivery_heads ADD COLUMN lease_until BIGINT NOT NULL DEFAULT 0;

-- Claiming goes from endpoint to endpoint and takes what is due of each, so
-- that a long queue is in nobody's way. Heads that are never due are left out.
CREATE INDEX delivery_heads_turn ON delivery_heads (endpoint_id, due_at) WHERE due_at < 9223372036854775807;
DROP INDEX delivery_heads_due;

-- Every attempt changes its head twice: dead rows are to go before they are in
-- the way of a claim.
ALTER TABLE delivery_heads SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
