-- +goose Up
-- What became of a COMMIT whose answer was lost. Whoever commits writes the
-- number of the transaction into a row that nobody else uses meanwhile; who
-- doubts reads it there, and closes the number so that it can't be committed
-- any more. Rows that have not been used for a day are forgotten.
CREATE TABLE commit_marks (
  slot TEXT PRIMARY KEY,
  mark BIGINT NOT NULL,
  closed BIGINT NOT NULL,
  used_at BIGINT NOT NULL
) WITH (fillfactor = 50);
