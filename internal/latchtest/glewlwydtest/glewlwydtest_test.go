package glewlwydtest

import (
	"net/http"
	"net/http/cookiejar"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logInAs posts to the login endpoint as a user and returns the status.
func logInAs(t *testing.T, s *Server, client *http.Client, body values) int {
	t.Helper()
	visitor := &Server{URL: s.URL, admin: client}
	if err := visitor.call(t.Context(), http.MethodPost, "/api/auth/", body); err != nil {
		t.Log(err)
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

func TestAServerOfTheTestsOwn(t *testing.T) {
	server := Start(t)
	t.Run("a created user logs in with the password only", func(t *testing.T) {
		server.CreateUser(t, User{Username: "ada", Password: `p"ä ss`, Name: "Ada", Email: "ada@example.org"})
		got := []int{
			logInAs(t, server, &http.Client{}, values{"username": "ada", "password": `p"ä ss`}),
			logInAs(t, server, &http.Client{}, values{"username": "ada", "password": "wrong"}),
		}
		if diff := cmp.Diff([]int{200, 401}, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a registered secret makes codes that work once, and wrong ones never", func(t *testing.T) {
		server.RequireOTP(t)
		server.CreateUser(t, User{Username: "bob", Password: "good-password", Name: "Bob", Email: "bob@example.org"})
		secret := server.RegisterTOTP(t, "bob")
		try := func(code string) int {
			return logInAs(t, server, &http.Client{}, values{
				"username": "bob", "scheme_type": "otp", "scheme_name": "otp", "value": values{"value": code},
			})
		}
		code := Code(t, secret)
		if diff := cmp.Diff([]int{401, 200, 401}, []int{try(WrongCode(t, secret)), try(code), try(code)}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestACodeByEmailArrivesAndWorksOnce(t *testing.T) {
	server, box := Start(t), NewMailbox(t)
	server.RequireEmail(t, box)
	server.CreateUser(t, User{Username: "ada", Password: "good-password", Name: "Ada", Email: "ada@example.org"})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ada := &http.Client{Jar: jar}
	if got := logInAs(t, server, ada, values{"username": "ada", "password": "good-password"}); got != http.StatusOK {
		t.Fatalf("the password answers %d", got)
	}
	visitor := &Server{URL: server.URL, admin: ada}
	var codes []string
	for n := range 2 {
		err := visitor.call(t.Context(), http.MethodPost, "/api/auth/scheme/trigger/", values{
			"username": "ada", "scheme_type": "email", "scheme_name": "email", "value": values{},
		})
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, box.Code(t, "ada@example.org", n))
	}
	try := func(code string) int {
		return logInAs(t, server, ada, values{
			"username": "ada", "scheme_type": "email", "scheme_name": "email", "value": values{"code": code},
		})
	}
	if diff := cmp.Diff([]int{401, 200, 401}, []int{try("00000x"), try(codes[1]), try(codes[1])}); diff != "" {
		t.Error(diff)
	}
}

func TestTwoServersDoNotDisturbEachOther(t *testing.T) {
	one, two := Start(t), Start(t)
	if one.URL == two.URL {
		t.Fatalf("both listen on %s", one.URL)
	}
	one.CreateUser(t, User{Username: "ada", Password: "good-password"})
	body := values{"username": "ada", "password": "good-password"}
	if got := logInAs(t, two, &http.Client{}, body); got != http.StatusUnauthorized {
		t.Errorf("a user of one server logs in at the other: status %d", got)
	}
}

func TestAStoppedServerNoLongerAnswers(t *testing.T) {
	var address string
	t.Run("while the test runs", func(t *testing.T) { address = Start(t).URL })
	if response, err := http.Get(address + "/config"); err == nil {
		response.Body.Close()
		t.Error("the server outlived its test")
	}
}
