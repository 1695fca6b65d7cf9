package matrix_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/matrix"
	"latchkey/internal/latchtest/matrixtest"
)

func TestWhatTheDomainSaysOfItsHomeserver(t *testing.T) {
	server := matrixtest.Start(t, matrixtest.Options{})
	id := server.Create(ada)
	named := func(base string) string { return fmt.Sprintf(`{"m.homeserver":{"base_url":%q}}`, base) }
	const (
		found  = "found"
		asksID = "FAIL_PROMPT"
		ends   = "FAIL_ERROR"
	)
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"nothing, so it is its own":          {http.StatusNotFound, "", found},
		"its address":                        {http.StatusOK, named(server.URL), found},
		"its address with a slash":           {http.StatusOK, named(server.URL + "/"), found},
		"an identity server too":             {http.StatusOK, strings.Replace(named(server.URL), "}}", `},"m.identity_server":{"base_url":"https://a.example"}}`, 1), found},
		"an identity server without address": {http.StatusOK, strings.Replace(named(server.URL), "}}", `},"m.identity_server":{}}`, 1), asksID},
		"an error":                           {http.StatusInternalServerError, named(server.URL), asksID},
		"a redirect":                         {http.StatusFound, named(server.URL), asksID},
		"an empty body":                      {http.StatusOK, "", asksID},
		"a web page":                         {http.StatusOK, "<html>", asksID},
		"a book":                             {http.StatusOK, named(server.URL) + strings.Repeat(" ", 300<<10), "error"},
		"a deep hole":                        {http.StatusOK, `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, asksID},
		"no address":                         {http.StatusOK, `{"m.homeserver":{}}`, asksID},
		"no URL":                             {http.StatusOK, named("not a url"), ends},
		"a script":                           {http.StatusOK, named("javascript:alert(1)"), ends},
		"clear text elsewhere":               {http.StatusOK, named("http://example.org"), ends},
		"a user in the address":              {http.StatusOK, named("https://me:you@example.org"), ends},
		"a way up":                           {http.StatusOK, named(server.URL + "/../x"), ends},
		"what is no homeserver":              {http.StatusOK, named(server.URL + "/elsewhere"), ends},
	} {
		t.Run(name, func(t *testing.T) {
			server.SetWellKnown(matrixtest.Page{Status: c.status, Body: c.body})
			step, err := visit(t).submit("username", id)
			switch c.want {
			case found:
				asked(t, step, err, "password", "")
			case asksID:
				asked(t, step, err, "username", latchkey.FailureProviderUnavailable)
			case ends:
				failed(t, err, latchkey.FailureProviderUnavailable)
			default:
				if _, over := errors.AsType[*connector.Failure](err); err == nil || over {
					t.Errorf("got %v, want an error that is no failure", err)
				}
			}
		})
	}
}

func TestAHomeserverOfAnotherAgeEndsTheLogin(t *testing.T) {
	for name, versions := range map[string][]string{
		"an old one": {"r0.6.1"}, "none": {}, "a list of books": make([]string, 257), "odd ones": {"v1.x", "v2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			server := matrixtest.Start(t, matrixtest.Options{Versions: versions})
			_, err := visit(t).submit("username", server.Create(ada))
			failed(t, err, latchkey.FailureProviderUnavailable)
		})
	}
}

func TestWhatIsNoMatrixIDIsRefusedWithoutAskingAnybody(t *testing.T) {
	none := roundTrip(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL)
		return nil, http.ErrNotSupported
	})
	for _, text := range []string{
		"", "ada", "@ada", "@:example.org", "@ada:", "ada@example.org", "@ada:example.org:x", "@ada:exa mple/..", "@ä:example.org",
		"@ada:localhost", "@ada:127.0.0.1:8008", "@ada:intranet", "@ada:[::1]", "@ada:example.org/x", "@ada:-example.org",
		"@" + strings.Repeat("a", 250) + ":example.org", strings.Repeat("a", 1<<20),
	} {
		v := visit(t)
		v.provider, v.http = matrix.New(matrix.Config{}), &http.Client{Transport: none}
		step, err := v.submit("username", text)
		asked(t, step, err, "username", latchkey.FailureInvalidCredentials)
	}
}

func TestInProductionEverythingIsTLS(t *testing.T) {
	var asked []string
	spy := roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		if strings.Contains(r.URL.Path, "well-known") {
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody}, nil
		}
		return nil, http.ErrServerClosed
	})
	v := visit(t)
	v.provider, v.http = matrix.New(matrix.Config{}), &http.Client{Transport: spy}
	_, _ = v.submit("username", "@Ada/..:Example.org:8448")
	want := []string{"https://example.org/.well-known/matrix/client", "https://example.org:8448/_matrix/client/versions"}
	if len(asked) != 2 || asked[0] != want[0] || asked[1] != want[1] {
		t.Errorf("asked %q", asked)
	}
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
