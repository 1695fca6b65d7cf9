package glewlwydtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/pquerna/otp/totp"
)

// period is the time one code of a user's TOTP stands for.
const period = 30 * time.Second

// User is somebody who can log in.
type User struct {
	Username string
	Password string
	Name     string
	Email    string
}

// values is a JSON object.
type values = map[string]any

// logIn opens the admin's session, with the password of Debian's SQL.
func (s *Server) logIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("make a cookie jar: %w", err)
	}
	s.admin = &http.Client{Jar: jar, Timeout: starting}
	return s.call(ctx, http.MethodPost, "/api/auth/", values{"username": "admin", "password": "password"})
}

// CreateUser adds a user with access to the profile API.
func (s *Server) CreateUser(t testing.TB, user User) {
	t.Helper()
	err := s.call(t.Context(), http.MethodPost, "/api/user/", values{
		"username": user.Username, "password": user.Password, "name": user.Name, "email": user.Email,
		"enabled": true, "scope": []string{"g_profile"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// RequireOTP makes the profile API want a one-time code from everybody. Who
// has none registered can still log in with the password.
func (s *Server) RequireOTP(t testing.TB) {
	t.Helper()
	err := s.call(t.Context(), http.MethodPost, "/api/mod/scheme/", values{
		"module": "otp", "name": "otp", "display_name": "One-time code", "expiration": 600, "max_use": 0,
		"allow_user_register": true,
		"parameters": values{
			"issuer": "glewlwydtest", "secret-minimum-size": 16, "otp-length": 6, "code-length": 6,
			"hotp-allow": false, "totp-allow": true, "totp-window": 30, "totp-start-offset": 0, "user-can-change": true,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.schemes = append(s.schemes, "otp")
	s.requireSchemes(t)
}

// RegisterTOTP gives a user a TOTP secret and returns it, in base32. RequireOTP
// must have been called.
func (s *Server) RegisterTOTP(t testing.TB, username string) (secret string) {
	t.Helper()
	secret = base32.StdEncoding.EncodeToString([]byte(rand.Text())[:20])
	err := s.call(t.Context(), http.MethodPost, "/api/delegate/"+url.PathEscape(username)+"/profile/scheme/register/", values{
		"username": username, "scheme_type": "otp", "scheme_name": "otp",
		"value": values{"type": "TOTP", "secret": secret, "time_step_size": 30, "start_offset": 0},
	})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// forgetTOTP takes a user's secret away, with when a code of it was last used.
func (s *Server) forgetTOTP(t testing.TB, username string) {
	t.Helper()
	err := s.call(t.Context(), http.MethodPost, "/api/delegate/"+url.PathEscape(username)+"/profile/scheme/register/", values{
		"username": username, "scheme_type": "otp", "scheme_name": "otp", "value": values{"type": "NONE"},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Code returns the secret's code of this moment. The server takes each code
// once.
func Code(t testing.TB, secret string) string {
	t.Helper()
	return codeAt(t, secret, time.Now())
}

// WrongCode returns a code that is not the secret's, now or nearby.
func WrongCode(t testing.TB, secret string) string {
	t.Helper()
	now := time.Now()
	near := map[string]bool{}
	for i := -3; i <= 3; i++ {
		near[codeAt(t, secret, now.Add(time.Duration(i)*period))] = true
	}
	for i := 0; ; i++ {
		if code := fmt.Sprintf("%06d", i); !near[code] {
			return code
		}
	}
}

func codeAt(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// call sends JSON as the admin and wants 200. The server explains a 400 in its
// body.
func (s *Server) call(ctx context.Context, method, path string, body values) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the body of %s: %w", path, err)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("build a request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.admin.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return fmt.Errorf("%s %s: status %d: %s", method, path, response.StatusCode, answer)
	}
	return nil
}
