package store

import (
	"context"
	"errors"
)

// Change tells that something of an organisation is no longer what was read.
type Change struct {
	Kind           ChangeKind
	OrganisationID string // empty: of any
}

// ChangeKind is what has changed.
type ChangeKind string

// The kinds of changes that others may remember something of.
const (
	ChangedKeys     ChangeKind = "keys"     // API keys and the organisation's settings
	ChangedApps     ChangeKind = "apps"     // client apps
	ChangedAnything ChangeKind = "anything" // changes may have been missed
)

// change runs a fact that others may remember the opposite of. Once it is
// committed, or may be, it tells this process, and then the others. A process
// that dies in between tells nobody: what is remembered must be forgotten by
// age, too.
func (s *Store) change(ctx context.Context, kind ChangeKind, organisationID string, run func(tx *tx) error) error {
	return s.told(s.fact(ctx, run), kind, organisationID)
}

// changeEnding is change for a fact that ends something.
func (s *Store) changeEnding(ctx context.Context, kind ChangeKind, organisationID string, run func(tx *tx) error) error {
	return s.told(s.ending(ctx, run), kind, organisationID)
}

func (s *Store) told(err error, kind ChangeKind, organisationID string) error {
	if err == nil || errors.Is(err, errUnknown) {
		change := Change{Kind: kind, OrganisationID: organisationID}
		s.heard(change)
		s.messenger.tell(change)
	}
	return err
}

// messenger brings word to the other processes on the same database.
type messenger interface {
	tell(change Change)
	wake() // there may be something to deliver
	close()
}

// nobody is the messenger where there is no other process.
type nobody struct{}

func (nobody) tell(Change) {}
func (nobody) wake()       {}
func (nobody) close()      {}
