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
) WITHOUT ROWID;

-- A claimed head is hidden until its lease is over. That is in no index, so that a
-- claim writes rows and nothing else.
--
-- The heads as they were, but in the order in which they were queued and no
-- more in that of their keys: what is claimed together then lies together, and a
-- claim in a long queue writes no more pages than one in a short one.
CREATE TABLE delivery_heads_in_order (
  endpoint_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  attempt BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  fence BIGINT NOT NULL,
  lease_until BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (endpoint_id, subject)
);
INSERT INTO delivery_heads_in_order (endpoint_id, subject, sequence, event_id, attempt, due_at, fence)
  SELECT endpoint_id, subject, sequence, event_id, attempt, due_at, fence FROM delivery_heads ORDER BY due_at;
DROP TABLE delivery_heads;
ALTER TABLE delivery_heads_in_order RENAME TO delivery_heads;

-- Claiming goes from endpoint to endpoint and takes what is due of each, so
-- that a long queue is in nobody's way. Heads that are never due are left out.
CREATE INDEX delivery_heads_turn ON delivery_heads (endpoint_id, due_at) WHERE due_at < 9223372036854775807;
