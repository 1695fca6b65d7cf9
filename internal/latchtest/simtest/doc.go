// Package simtest is the seeded simulator. A seed is a scenario: what people
// and apps do, and what breaks meanwhile. It is played by three replicas of the
// real rooms on one database, on a clock that only moves when everybody waits
// and over a network in memory, and watched by six invariants.
//
//	seed ─▶ scenario ─▶ bubble of testing/synctest
//	                     people, apps ─▶ replica 0, 1, 2: auth, proxy, link, vault, webhook, jobs
//	                                       │ shelf: latency, lost answers, fences      │ wire: latency, loss, cuts
//	                                       ▼                                           ▼
//	                                     store on a SQLite file                      bank, sink
//	                     journal of what was acknowledged ─▶ invariants I1 to I6
//
// A replica that crashes loses its memory and is cut off from the database and
// the network; what it had committed stays.
package simtest
