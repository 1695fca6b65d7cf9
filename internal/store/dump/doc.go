// Package dump is the file of a backup: the rows of every table, in a form that
// both engines can write and read. It knows files and no database.
//
//	magic │ H header │ T table │ R rows … │ T table │ R rows … │ M manifest │ end
//
// A frame is its letter, the length of its payload (4 bytes, big endian) and
// the payload. The header says which schema the rows are of. The manifest comes
// last, so that the file is written in one go: it has the count and the digest
// of every table, and the SHA-256 of all bytes before it, sealed with the
// vault's key. What is cut off has no manifest; what is changed does not fit
// it; what somebody else has made does not open.
package dump
