// Package seal turns secrets into bytes that may lie in a database, and back:
// the envelope format, the key ring and its rotation, and the file that holds
// the ring. It authorises nobody and logs nothing; that is the vault's duty.
//
//	key file ──OpenFile──▶ Ring ──Unwrap──▶ DataKey ──Seal(Binding, plaintext)──▶ envelope ──▶ store
//	           CreateFile   │ ▲                   ▲                                  │
//	             ▲          │ └─Reload            └──────Open(same Binding, …)◀──────┘
//	             └─Rotate, Drop
//
// A ring key wraps data keys; a data key seals what one organisation has.
// Releases before data keys sealed with the ring itself, and the ring still
// opens that.
//
// Keys are XAES-256-GCM (c2sp.org/XAES-256-GCM): its 192-bit random nonces
// stay safe for 2^80 seals under one key, where AES-GCM's 96 bits would force
// a rotation before 2^32, and no counter has to survive a restored snapshot.
//
// The package needs a Unix: it relies on file owners, modes and flock.
package seal
