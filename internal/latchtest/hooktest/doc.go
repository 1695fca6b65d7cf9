// Package hooktest measures webhooks under faults, in the running app: what is
// lost, reordered and repeated while receivers fail, who waits for whom, and
// what becomes of queues when endpoints change, die and return. It has only
// tests.
package hooktest
