//go:build interop

package e2etest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/connector/atproto"
	"latchkey/internal/latchtest"
)

// referencePDS is the reference PDS and PLC directory, in a process of their own
// (interop/pds.mjs).
type referencePDS struct {
	t      *testing.T
	PDS    string           `json:"pds"`
	PLC    string           `json:"plc"`
	Factor bool             `json:"secondFactor"`
	Ada    referenceAccount `json:"ada"`
	Eve    referenceAccount `json:"eve"`
	input  io.Writer
	lines  chan referenceLine
}

// referenceAccount is an account of the PDS.
type referenceAccount struct {
	DID         string `json:"did"`
	Handle      string `json:"handle"`
	Password    string `json:"password"`
	AppPassword string `json:"appPassword"`
}

// referenceLine is what the process says.
type referenceLine struct {
	Ready    *referencePDS `json:"ready"`
	Mail     string        `json:"mail"`
	Sessions int           `json:"sessions"`
}

// startReferencePDS starts the process and stops it at the test's cleanup.
func startReferencePDS(t *testing.T) *referencePDS {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), "runtime/node_modules/.bin/node", "pds.mjs")
	command.Dir = "../../../interop"
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	command.Stderr = &complaints
	if err := command.Start(); err != nil {
		t.Fatalf("run `make interop`, which installs the PDS: %v", err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		if err := command.Wait(); err != nil && t.Failed() {
			t.Logf("the PDS: %v\n%s", err, complaints.String())
		}
	})
	lines := make(chan referenceLine, 64)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			var line referenceLine
			if json.Unmarshal(scanner.Bytes(), &line) == nil { // the PDS logs to the same stream
				lines <- line
			}
		}
	}()
	p := (&referencePDS{t: t, lines: lines}).next(func(line referenceLine) bool { return line.Ready != nil }).Ready
	if p == nil {
		t.Fatal("the PDS is not ready")
	}
	p.t, p.input, p.lines = t, input, lines
	return p
}

// next waits for a line that fits.
func (p *referencePDS) next(fits func(referenceLine) bool) referenceLine {
	p.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				p.t.Fatal("the PDS has ended")
			}
			if fits(line) {
				return line
			}
		case <-deadline.C:
			p.t.Fatal("the PDS says nothing")
		}
	}
}

// sessions counts the sessions of an account that can be refreshed.
func (p *referencePDS) sessions(did string) int {
	p.t.Helper()
	if _, err := fmt.Fprintln(p.input, did); err != nil {
		p.t.Fatal(err)
	}
	return p.next(func(line referenceLine) bool { return line.Mail == "" && line.Ready == nil }).Sessions
}

// connector is one for the PDS. Handles under .test are in no DNS, so the
// resolver is the test's own; all else is real.
func (p *referencePDS) connector() *atproto.Connector {
	p.t.Helper()
	names := map[string]string{"_atproto." + p.Ada.Handle: p.Ada.DID, "_atproto." + p.Eve.Handle: p.Eve.DID}
	dns := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if did, ok := names[r.URL.Query().Get("name")]; ok {
			_, _ = fmt.Fprintf(w, `{"Status":0,"Answer":[{"type":16,"data":"\"did=%s\""}]}`, did)
			return
		}
		_, _ = io.WriteString(w, `{"Status":3}`)
	}))
	p.t.Cleanup(dns.Close)
	resolver, err := url.Parse(dns.URL)
	if err != nil {
		p.t.Fatal(err)
	}
	directory, err := url.Parse(p.PLC)
	if err != nil {
		p.t.Fatal(err)
	}
	return atproto.New(atproto.Config{Resolver: resolver, Directory: directory, Environments: sandboxed, Loopback: true})
}

// tried runs a part of the test and prints what came of it, for
// docs/interop.md. After a failure the parts that follow count as failed too.
func tried(t *testing.T, what string, run func()) {
	t.Helper()
	good := 0
	defer func() { fmt.Printf("RESULT interop.atproto %q %d 1\n", what, good) }()
	run()
	if !t.Failed() {
		good = 1
	}
}

func TestAReferencePDS(t *testing.T) {
	pds := startReferencePDS(t)
	n := startNetwork(t, latchtest.Options{}, &clocked{}, pds.connector())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(n.Log.Text())
		}
	})
	ada, connection := pds.Ada, ""
	tried(t, "an account is linked by handle and password", func() {
		visit := n.open("ada", "").Submit("continue", "username", "@"+ada.Handle, "password", "not the password")
		if visit.Landed != nil || !strings.Contains(visit.Text(), "4 attempts left") {
			t.Fatalf("after a wrong password: %s", visit.Text())
		}
		visit.Submit("continue", "username", "@"+ada.Handle, "password", ada.Password)
		if pds.Factor {
			visit.Submit("continue", "code", pds.next(func(line referenceLine) bool { return line.Mail != "" }).Mail)
		}
		connection = n.landed(visit, "success").Get("connection_id")
		if linked := n.only(connection, ada.DID); linked.UserData.Username != ada.Handle {
			t.Errorf("linked %+v", linked.UserData)
		}
		n.nowhere(ada.DID, ada.Password)
	})
	tried(t, "its API is called through the proxy", func() {
		n.proxied(http.StatusOK, "POST", "com.atproto.repo.createRecord", connection, map[string]any{
			"repo": ada.DID, "collection": "app.bsky.feed.post",
			"record": map[string]any{"$type": "app.bsky.feed.post", "text": "hello", "createdAt": "2026-01-02T03:04:05.000Z"},
		})
		list := n.proxied(http.StatusOK, "GET", "com.atproto.repo.listRecords?collection=app.bsky.feed.post&repo="+ada.DID, connection, nil)
		if !strings.Contains(string(list.Body), `"hello"`) {
			t.Errorf("the records are %s", list.Body)
		}
		n.proxied(http.StatusForbidden, "POST", "com.atproto.server.createAppPassword", connection, map[string]any{"name": "x"})
	})
	tried(t, "tokens are rotated, twice", func() {
		for range 2 {
			n.Clock.Move(2 * time.Hour) // ours, so that the token is at its end; the PDS's stays
			n.proxied(http.StatusOK, "GET", "com.atproto.server.getSession", connection, nil)
		}
		audit := n.Want(http.StatusOK, "GET", "/v2/audit?limit=100", nil)
		if refreshed := strings.Count(string(audit.Body), `"purpose":"refresh"`); refreshed != 2 {
			t.Errorf("%d records of a refresh: %s", refreshed, audit.Body)
		}
		if live := pds.sessions(ada.DID); live < 1 {
			t.Errorf("%d sessions are live", live)
		}
	})
	n.Clock.Move(-4 * time.Hour)
	tried(t, "a bare PDS has a profile to show", func() {
		self := n.Want(http.StatusOK, "GET", "/v2/access/self", nil, "x-connection-id", connection)
		if !strings.Contains(string(self.Body), ada.DID) || !strings.Contains(string(self.Body), ada.Handle) {
			t.Errorf("the profile is %s", self.Body)
		}
	})
	tried(t, "linked again by its DID it keeps its id", func() {
		visit := n.open("ada", connection).Submit("continue", "username", ada.DID, "password", ada.AppPassword)
		if got := n.landed(visit, "success").Get("connection_id"); got != connection {
			t.Errorf("it became %s", got)
		}
	})
	tried(t, "another account does not take the connection", func() {
		before := pds.sessions(pds.Eve.DID)
		n.mismatch(n.open("ada", connection).Submit("continue", "username", pds.Eve.DID, "password", pds.Eve.AppPassword))
		latchtest.Eventually(t, "its session is deleted", func() bool { return pds.sessions(pds.Eve.DID) == before })
	})
	tried(t, "disconnecting deletes the session", func() {
		before := pds.sessions(ada.DID)
		n.disconnect(connection)
		latchtest.Eventually(t, "one session less", func() bool { return pds.sessions(ada.DID) == before-1 })
	})
}
