-- +goose Up
-- Nothing: between SQLite and its one process no answer is lost. The number is
-- that of PostgreSQL's schema.
SELECT 1;
