package recipe_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/connector"
)

// jsonSteps log in by JSON and look at the answer's.
const jsonSteps = `
  - name: enter
    requests:
      - method: POST
        path: /login
        json: {user: "{{field.username}}", secret: ["{{field.password}}", "<{{field.username}}:{{field.password}}>"], n: 1.50, yes: true, no: ~}
    when:
      - {if: {json: {path: $.ok, equals: true}}, then: done}
      - {if: {json: {path: $.ok, exists: false}}, then: denied}
      - {if: {html: {selector: p, exists: false}}, then: locked}
`

func TestAPasswordArrivesVerbatim(t *testing.T) {
	var got string
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
		answerJSON(w, http.StatusOK, `{"ok":true}`)
	})
	c := site(t, mux, jsonSteps)
	for password, quoted := range map[string]string{
		`plain`:                      `plain`,
		`"},"admin":true,"x":"`:      `\"},\"admin\":true,\"x\":\"`,
		"two\nlines\t\x01":           `two\nlines\t\u0001`,
		`back\slash`:                 `back\\slash`,
		`{{field.username}}`:         `{{field.username}}`,
		`{{saved.x}} {{cookie.y}} }`: `{{saved.x}} {{cookie.y}} }`,
		"pä🗝ß\u2028":                 "pä🗝ß\u2028",
	} {
		if step, err := login(t, c, password); err != nil {
			t.Fatalf("%q: %v", password, err)
		} else if _, ok := step.(connector.Done); !ok {
			t.Fatalf("%q: %T", password, step)
		}
		want := `{"user":"ada","secret":["` + quoted + `","<ada:` + quoted + `>"],"n":1.50,"yes":true,"no":null}`
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", password, diff)
		}
	}
}

func TestInputThatCanNotBeRight(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(http.ResponseWriter, *http.Request) { t.Error("the provider was asked") })
	c := site(t, mux, jsonSteps)
	for name, password := range map[string]string{
		"nothing":          "",
		"only spaces":      "  ",
		"a book":           strings.Repeat("x", 5000),
		"what is not text": "\xff\xfe\xfd",
	} {
		t.Run(name+" is refused without asking the provider", func(t *testing.T) {
			step, err := login(t, c, password)
			if err != nil {
				t.Fatal(err)
			}
			wantPrompt(t, step, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
		})
	}
}

func TestHostileAnswers(t *testing.T) {
	const secret = "secret-of-the-answer"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"an endless body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			chunk := []byte(strings.Repeat(`[`, 64<<10))
			for range 1024 {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}, "larger than 1048576 bytes"},
		"a gzip that grows": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipOfZeros(16 << 20))
		}, "larger than 1048576 bytes"},
		"JSON that says it is a picture": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, `{"ok":true}`)
		}, `no rule holds for the answer: status 200, content type "image/png"`},
		"a content type that is an essay": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", strings.Repeat("x", 500)+"/y")
			_, _ = io.WriteString(w, `{"ok":true}`)
		}, `content type "` + strings.Repeat("x", 64) + `"`},
		"a content type that is malformed": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json; "+secret)
			_, _ = io.WriteString(w, `{"ok":true}`)
		}, `content type "none"`},
		"JSON that is too deep": {func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, strings.Repeat(`{"a":`, 9000)+"1"+strings.Repeat("}", 9000))
		}, "no rule holds"},
		"JSON with a second value": {func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, `{"ok":true}{}`)
		}, "no rule holds"},
		"JSON that says one thing twice": {func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, `{"ok":false,"ok":true}`)
		}, "no rule holds"},
		"JSON that is not": {func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, `{"ok":`+secret)
		}, "no rule holds"},
		"HTML that is nothing but openings": {func(w http.ResponseWriter, _ *http.Request) {
			answerHTML(w, "<p>%s", strings.Repeat("<div><table><b>", 20_000))
		}, `no rule holds for the answer: status 200, content type "text/html"`},
		"a body that breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"ok":true}`)
		}, "read the answer"},
	} {
		t.Run(name+" leaves the login where it was", func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("POST /login", c.answer)
			start := time.Now()
			_, err := login(t, site(t, mux, jsonSteps), "good-password")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "good-password") {
				t.Errorf("the error shows too much: %v", err)
			}
			wantNoFailure(t, err)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestAProviderThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	c := at(t, server.URL, jsonSteps)
	_, err := login(t, c, "good-password")
	if err == nil || strings.Contains(err.Error(), "/login") {
		t.Errorf("error %v: want one that does not show the URL", err)
	}
	wantNoFailure(t, err)
}

func TestACancelledLoginStops(t *testing.T) {
	mux := http.NewServeMux()
	arrived := make(chan struct{})
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	})
	c := site(t, mux, jsonSteps)
	first := submit(t, c, nil, nil).(connector.Prompt)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := c.Advance(ctx, connector.Flow{HTTP: wayOut, Now: time.Now(), State: first.State},
		inputOf(map[string]string{"username": "ada", "password": "good-password"}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want cancelled", err)
	}
	wantNoFailure(t, err)
}

func TestAStateOfSomethingElseIsNotShown(t *testing.T) {
	c := at(t, "https://acme.example", jsonSteps)
	for _, state := range []string{
		"damaged-state", `{"recipe":"other"}`, `{"recipe":"acme","prompt":"gone-prompt","at":"login"}`, strings.Repeat("x", 1<<20),
	} {
		_, err := c.Advance(t.Context(), connector.Flow{HTTP: wayOut, Now: time.Now(), State: []byte(state)}, connector.Input{})
		if err == nil || strings.Contains(err.Error(), "damaged") || len(err.Error()) > 200 {
			t.Errorf("error %v", err)
		}
	}
}

func TestStepsThatGoInCirclesEnd(t *testing.T) {
	asked := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /round", func(http.ResponseWriter, *http.Request) { asked++ })
	c := site(t, mux, `
  - {name: enter, requests: [{method: GET, path: /round}, {method: GET, path: /round}], when: [{then: {goto: enter}}]}
`)
	_, err := login(t, c, "good-password")
	if err == nil || !strings.Contains(err.Error(), "more than") || asked > 30 {
		t.Errorf("asked %d times, error %v", asked, err)
	}
}

func TestCookiesThatAreTooManyOrTooLargeAreDropped(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			http.SetCookie(w, &http.Cookie{Name: "c" + strings.Repeat("x", i), Value: strings.Repeat("v", 300)})
		}
		http.SetCookie(w, &http.Cookie{Name: "last", Value: "kept"})
		answerJSON(w, http.StatusOK, `{"ok":true}`)
	})
	done := mustLogin(t, site(t, mux, jsonSteps))
	if size := len(done.Credential.Secret); size > 16<<10 || !strings.Contains(string(done.Credential.Secret), "kept") {
		t.Errorf("a credential of %d bytes", size)
	}
}

func TestTheProfilesFactsAreBounded(t *testing.T) {
	for profile, want := range map[string]string{
		`{"login":"ada"}`:                                         "no usable id",
		`{"id":"","login":"ada"}`:                                 "no usable id",
		`{"id":{"a":1},"login":"ada"}`:                            "no usable id",
		`{"id":"` + strings.Repeat("x", 300) + `","login":"ada"}`: "no usable id",
		`{"id":"1"}`:                                              "no username",
		`not even it`:                                             "unexpected answer",
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, `{"ok":true}`) })
		mux.HandleFunc("GET /who", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, profile) })
		c := site(t, mux, jsonSteps+"\nprofile: {request: {method: GET, path: /who}, id: $.id, username: $.login}\n")
		if _, err := login(t, c, "good-password"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, want %s", profile, err, want)
		}
	}
}

func TestAnAvatarIsAPictureAPageMayShow(t *testing.T) {
	for avatar, want := range map[string]string{
		"https://cdn.example/a.png":     "https://cdn.example/a.png",
		"http://cdn.example/a.png":      "",
		"javascript:alert(1)":           "",
		"data:image/png;base64,AAAA":    "",
		"https://u:p@cdn.example/a.png": "",
		"":                              "",
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, `{"ok":true}`) })
		mux.HandleFunc("GET /who", func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, `{"id":1,"login":"ada","pic":"`+avatar+`","name":"`+strings.Repeat("ä", 200)+`"}`)
		})
		c := site(t, mux, jsonSteps+"\nprofile: {request: {method: GET, path: /who}, id: $.id, username: $.login, avatar: $.pic, name: $.name}\n")
		user := mustLogin(t, c).User
		if diff := cmp.Diff(latchkey.UserData{ID: "1", Username: "ada", Name: strings.Repeat("ä", 127), Avatar: want}, user); diff != "" {
			t.Errorf("%s: %s", avatar, diff)
		}
	}
}

func TestTheWayOutIsTheOneHandedIn(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	c := site(t, mux, jsonSteps)
	first := submit(t, c, nil, nil).(connector.Prompt)
	for name, client := range map[string]*http.Client{
		"no client":                  nil,
		"a client without transport": {},
		"a client that times out":    {Transport: http.DefaultTransport, Timeout: 20 * time.Millisecond},
	} {
		_, err := c.Advance(t.Context(), connector.Flow{HTTP: client, Now: time.Now(), State: first.State},
			inputOf(map[string]string{"username": "ada", "password": "good-password"}))
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		wantNoFailure(t, err)
	}
}
