package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"latchkey"
)

// The commands as scripts. Beside those of testscript they know:
//
//	start NAME args…            start latchkey and wait until it is ready; sets URL, KEY and APP
//	stop NAME                   SIGTERM; it must end with status 0; writes NAME.out and NAME.err
//	call STATUS METHOD PATH     ask the last server that was started, with KEY; writes answer
//	drain NAME                  SIGTERM in the middle of a request, which must still be answered
//	site                        start the site of docs/examples/site; sets SITE
//	endsite                     end it
//	readenv VARIABLE FILE       set a variable to what a file holds
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(built)+string(os.PathListSeparator)+env.Getenv("PATH"))
			documents, err := filepath.Abs(filepath.Join(root, "docs"))
			env.Setenv("DOCUMENTS", documents)
			env.Values[serversKey{}] = map[string]*server{}
			env.Values[siteKey{}] = map[siteKey]func(){}
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": scriptStart, "stop": scriptStop, "call": scriptCall, "drain": scriptDrain,
			"site": scriptSite, "endsite": scriptEndSite,
			"readenv": func(ts *testscript.TestScript, _ bool, args []string) { ts.Setenv(args[0], ts.ReadFile(args[1])) },
		},
	})
}

// serversKey is where a script keeps its servers, by name.
type serversKey struct{}

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME args…")
	}
	s, err := launch(ts.MkAbs("."), args[1:]...)
	if s != nil {
		ts.Defer(s.kill)
	}
	ts.Check(err)
	serversOf(ts)[args[0]] = s
	ts.Setenv("URL", s.url)
	if s.ready.Ready {
		ts.Setenv("KEY", s.ready.APIKey)
		ts.Setenv("APP", s.ready.ClientApps[latchkey.AppRedirect])
	}
}

func scriptStop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: stop NAME")
	}
	s := named(ts, args[0])
	ts.Check(s.stop())
	writeTranscripts(ts, args[0], s)
}

func scriptCall(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: call STATUS METHOD PATH")
	}
	request, err := http.NewRequestWithContext(context.Background(), args[1], ts.Getenv("URL")+args[2], nil)
	ts.Check(err)
	request.Header.Set("apikey", ts.Getenv("KEY"))
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	ts.Check(err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("answer"), body, 0o600))
	if fmt.Sprint(response.StatusCode) != args[0] {
		ts.Fatalf("%s %s: status %d, want %s: %s", args[1], args[2], response.StatusCode, args[0], body)
	}
}

// siteKey is where a script keeps how to end its site.
type siteKey struct{}

func scriptSite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: site")
	}
	url, _, stop, err := startSite()
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv("SITE", url)
	sitesOf(ts)[siteKey{}] = stop
}

func scriptEndSite(ts *testscript.TestScript, neg bool, args []string) {
	stop := sitesOf(ts)[siteKey{}]
	if neg || len(args) != 0 || stop == nil {
		ts.Fatalf("usage: endsite, after site")
	}
	stop()
}

func sitesOf(ts *testscript.TestScript) map[siteKey]func() {
	sites, ok := ts.Value(siteKey{}).(map[siteKey]func())
	if !ok {
		ts.Fatalf("no sites")
	}
	return sites
}

func scriptDrain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: drain NAME")
	}
	s := named(ts, args[0])
	status, err := askAcrossShutdown(s, ts.Getenv("KEY"))
	ts.Check(err)
	if !strings.Contains(status, " 200 ") {
		ts.Fatalf("the request under way was answered %q", status)
	}
	ts.Check(s.wait())
	writeTranscripts(ts, args[0], s)
}

func serversOf(ts *testscript.TestScript) map[string]*server {
	servers, ok := ts.Value(serversKey{}).(map[string]*server)
	if !ok {
		ts.Fatalf("no servers")
	}
	return servers
}

func named(ts *testscript.TestScript, name string) *server {
	s := serversOf(ts)[name]
	if s == nil {
		ts.Fatalf("there is no server %s", name)
	}
	return s
}

func writeTranscripts(ts *testscript.TestScript, name string, s *server) {
	for end, text := range map[string]*transcript{".out": s.out, ".err": s.err} {
		ts.Check(os.WriteFile(ts.MkAbs(name+end), []byte(text.String()), 0o600))
	}
}
