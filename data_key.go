package latchkey

import "time"

// DataKey is the key that seals what one organisation has. It is kept wrapped:
// whoever has the database alone can't use it.
type DataKey struct {
	ID             int64 // random and positive; every envelope names its key by it
	OrganisationID string
	Wrapped        []byte    // the key, encrypted by what WrappedBy names
	WrappedBy      string    // the id of a RingKey
	CreatedAt      time.Time // when it began to seal
	ReplaceAt      time.Time // when another takes its place at the latest
	RetiredAt      time.Time // when another took its place; zero: it seals
}

// RingKey is a key that wraps data keys, as the database knows it: its name and
// how far its life is, never the key.
type RingKey struct {
	ID        string // file:… or kms:…
	State     RingKeyState
	CreatedAt time.Time
	ChangedAt time.Time // when it came into its state
}

// RingKeyState is how far the life of a ring key is.
type RingKeyState string

// The states of a ring key, in their order.
const (
	RingKeyPrimary   RingKeyState = "primary"   // it wraps; there is one
	RingKeyRetiring  RingKeyState = "retiring"  // it wraps no more, and what it wrapped is being wrapped anew
	RingKeyDestroyed RingKeyState = "destroyed" // nothing needs it; it comes back never
)

// SealedValue is a sealed secret in the place where it is kept.
type SealedValue struct {
	Place          SealedPlace
	Row            string // how the place finds its row again
	OrganisationID string
	Environment    Environment
	Subject        string // what the secret belongs to: a connection, session or endpoint
	Bytes          []byte
}

// SealedChange is a secret that was sealed anew.
type SealedChange struct {
	SealedValue
	After []byte
}

// SealedPlace is a column that holds sealed secrets.
type SealedPlace string

// The places of sealed secrets.
const (
	PlaceCredential         SealedPlace = "credential"
	PlacePreviousCredential SealedPlace = "previous credential"
	PlaceRevocation         SealedPlace = "revocation"
	PlaceFlow               SealedPlace = "flow"
	PlaceClientSecret       SealedPlace = "client secret"
	PlaceEndpointSecret     SealedPlace = "endpoint secret"
	PlacePreviousSecret     SealedPlace = "previous endpoint secret"
)

// SealedPlaces lists every place.
func SealedPlaces() []SealedPlace {
	return []SealedPlace{
		PlaceCredential, PlacePreviousCredential, PlaceRevocation, PlaceFlow, PlaceClientSecret, PlaceEndpointSecret,
		PlacePreviousSecret,
	}
}

// KeyUse counts what still needs keys that are on their way out.
type KeyUse struct {
	DataKeys     int64 `json:"dataKeys"`     // all
	Retired      int64 `json:"retired"`      // of them: those in whose place another seals
	WrappedElse  int64 `json:"wrappedElse"`  // of all: those wrapped by another ring key than the primary
	SealedByOld  int64 `json:"sealedByOld"`  // secrets sealed by a retired data key
	SealedByRing int64 `json:"sealedByRing"` // secrets sealed as releases without data keys did
}

// KeyWork says what there is to do about keys.
type KeyWork struct {
	Primary     string // the id of the ring key that wraps, as the database knows it; empty: none yet
	Retiring    bool   // a ring key is on its way out
	WrappedElse bool   // a data key is wrapped by another than the one that was asked about
	Due         bool   // a data key is to be replaced
	Retired     bool   // a data key is retired
	ByRing      bool   // a secret is sealed as releases without data keys did
}
