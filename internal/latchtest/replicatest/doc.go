// Package replicatest runs several replicas on one PostgreSQL and takes away
// what they rely on: the primary, the answer to a COMMIT, the way to the
// server, each other, their own time.
//
//	load ─▶ replica, replica, replica ─▶ way (slow, swallowing, cut) ─▶ pooler ─▶ primary, standby
package replicatest
