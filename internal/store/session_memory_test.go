package store

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey"
)

// remember reads a session into a memory.
func remember(m *sessionMemory, session *latchkey.LinkSession) {
	_, changes := m.find(session.SecretHash)
	m.take(session, changes, time.Now())
}

// isKnown reports whether a memory hands out a session.
func isKnown(m *sessionMemory, hash string) bool {
	found, _ := m.find(hash)
	return found != nil
}

func TestWhatChangesIsNeitherHandedOutNorTakenIn(t *testing.T) {
	for name, changes := range map[string]*sessionChanges{"it": {hashes: []string{"a"}}, "any": {any: true}} {
		m := newSessionMemory()
		before := &latchkey.LinkSession{SecretHash: "a", Version: 1}
		remember(m, before)
		if !isKnown(m, "a") {
			t.Fatal("nothing is remembered at all")
		}
		_, asked := m.find("b") // somebody begins to read another
		_, old := m.find("a")
		m.hold(changes)
		if isKnown(m, "a") {
			t.Errorf("%s changes, and is handed out", name)
		}
		m.take(before, old, time.Now()) // the reader who asked before comes back
		remember(m, before)             // and one who asks now, and reads what is not committed yet
		if isKnown(m, "a") {
			t.Errorf("%s changes, and is taken in", name)
		}
		_, during := m.find("a")
		m.letGo(changes)
		m.take(before, during, time.Now()) // asked during the change, may have read from before it
		if isKnown(m, "a") {
			t.Errorf("%s has changed, and is known from before", name)
		}
		m.take(&latchkey.LinkSession{SecretHash: "b"}, asked, time.Now())
		if known := isKnown(m, "b"); known && changes.any {
			t.Error("any has changed, and one is known from before")
		}
		remember(m, before)
		if !isKnown(m, "a") {
			t.Errorf("%s has changed, and is never remembered again", name)
		}
	}
}

func TestTwoGroupsMayHoldTheSameSession(t *testing.T) {
	m := newSessionMemory()
	one, other := &sessionChanges{hashes: []string{"a", "a"}}, &sessionChanges{hashes: []string{"a"}}
	m.hold(one)
	m.hold(other)
	m.letGo(one)
	remember(m, &latchkey.LinkSession{SecretHash: "a"})
	if isKnown(m, "a") {
		t.Error("what one still holds is taken in")
	}
	m.letGo(other)
	remember(m, &latchkey.LinkSession{SecretHash: "a"})
	if !isKnown(m, "a") {
		t.Error("what nobody holds is not taken in")
	}
}

func TestASessionIsRememberedForLessThanASecond(t *testing.T) {
	m := newSessionMemory()
	session := &latchkey.LinkSession{SecretHash: "a"}
	_, changes := m.find("a")
	m.take(session, changes, time.Now().Add(-sessionAge))
	if isKnown(m, "a") || sessionAge >= time.Second {
		t.Error("what another process may have changed a second ago is handed out")
	}
}

func TestTheMemoryOfSessionsIsBounded(t *testing.T) {
	m := newSessionMemory()
	for i := range 3 * sessionShards * shardSessions {
		remember(m, &latchkey.LinkSession{SecretHash: latchkey.HashSecret(string(rune(i)))})
	}
	for i := range m.shards {
		if n := len(m.shards[i].known); n > shardSessions {
			t.Errorf("a shard holds %d", n)
		}
	}
}

func TestASessionWithoutAHashMayBeAny(t *testing.T) {
	m := newSessionMemory()
	remember(m, &latchkey.LinkSession{SecretHash: "a"})
	changes := &sessionChanges{}
	changes.note("")
	m.hold(changes)
	m.letGo(changes)
	if isKnown(m, "a") {
		t.Error("it is known from before the change")
	}
}

// TestEveryStatementThatChangesSessionsIsNoticed reads the statements of this
// package: one that the memory does not notice would leave old answers in it.
func TestEveryStatementThatChangesSessionsIsNoticed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	change := regexp.MustCompile(`(?is)\b(UPDATE|DELETE\s+FROM|(INSERT|REPLACE)\s+(OR\s+\w+\s+)?INTO)\s+(link_sessions|client_apps)\b`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || strings.Contains(file, "postgres") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range change.FindAllString(string(text), -1) {
			found++
			if strings.HasPrefix(statement, "INSERT INTO link_sessions") {
				continue // what is new was remembered by nobody
			}
			if !isBroad(statement) {
				t.Errorf("%s: %s", file, statement)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d statements were found", found)
	}
	if isBroad(advanceStatement) || isBroad(`SELECT 1 FROM link_sessions`) {
		t.Error("what names its session, or only reads, changes any")
	}
}
