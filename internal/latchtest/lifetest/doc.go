// Package lifetest is about what becomes of a connection after it was made,
// seen from outside: refreshes that are cut short by a kill, revocations that
// the provider does not take, states that tell too much.
//
//	test process: Rotator, an app's backend ──HTTP──▶ a process of its own: the whole app ──▶ Rotator
package lifetest
