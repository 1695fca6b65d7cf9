package latchkey_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	latchkey "latchkey/sdk/go"
)

func TestAnErrorTellsAllTheServerSaid(t *testing.T) {
	server := serve(t, says(http.StatusConflict, `{"error":"moved on","message":"moved on","type":"CONFLICT","code":"CONFLICT",
		"requestId":"req_1","actionRequired":"refresh_session","details":{"field":"version"},
		"current":{"status":"initialized","data":{"step":{"name":"login","version":3}}}}`, "Retry-After", "4"))
	_, err := server.client(t, nil).Link.Submit(t.Context(), "cs_secret", latchkey.Submission{Version: 2})
	failed, ok := errors.AsType[*latchkey.Error](fmt.Errorf("wrapped: %w", err))
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	session, errCurrent := failed.CurrentSession()
	if errCurrent != nil || session.Status != latchkey.StatusInitialized || session.Data.Step.Version != 3 {
		t.Errorf("current session %+v, %v", session, errCurrent)
	}
	want := latchkey.Error{
		Status: 409, Type: latchkey.CodeConflict, Code: latchkey.CodeConflict, Message: "moved on", Field: "version",
		RequestID: "req_1", ActionRequired: latchkey.ActionRefreshSession, RetryAfter: 4 * time.Second, Current: failed.Current,
	}
	if diff := cmp.Diff(want, *failed); diff != "" {
		t.Error(diff)
	}
	if text := "latchkey: POST /v2/link/{clientSecret}/submit: 409 CONFLICT: moved on (req_1)"; err.Error() != text {
		t.Errorf("the error says %q, want %q", err, text)
	}
}

func TestErrorsAreToldApart(t *testing.T) {
	is := map[latchkey.ErrorCode]func(error) bool{
		latchkey.CodeNotFound: latchkey.IsNotFound, latchkey.CodeConflict: latchkey.IsConflict,
		latchkey.CodeBadRequest: latchkey.IsBadRequest, latchkey.CodeUnauthorized: latchkey.IsUnauthorized,
		latchkey.CodeForbidden: latchkey.IsForbidden, latchkey.CodeRateLimited: latchkey.IsRateLimited,
		latchkey.CodeSessionExpired: latchkey.IsSessionExpired,
	}
	for code := range is {
		err := fmt.Errorf("wrapped: %w", &latchkey.Error{Code: code})
		for other, check := range is {
			if check(err) != (other == code) {
				t.Errorf("the check for %s says %t of %s", other, check(err), code)
			}
		}
	}
	for code, check := range is {
		if check(nil) || check(errors.New("other")) {
			t.Errorf("the check for %s takes what is no *Error", code)
		}
	}
}

func TestAnswersOfOthersAreErrorsToo(t *testing.T) {
	for name, body := range map[string]string{"a page": "<html>secret</html>", "nothing": "", "other JSON": `{"error":"secret"}`, "a list": `["secret"]`} {
		server := serve(t, says(http.StatusInternalServerError, body, "X-Request-Id", "req_7"))
		_, err := server.client(t, nil).Account.Whoami(t.Context())
		failed, ok := errors.AsType[*latchkey.Error](err)
		if !ok || failed.Status != 500 || failed.Code != "" || failed.Message != "Internal Server Error" || failed.RequestID != "req_7" {
			t.Errorf("%s: %+v", name, err)
		}
	}
	for name, body := range map[string]string{"a page": "<html>", "nothing": "", "a list": "[]", "half": `{"id":`, "another type": `{"id":7}`} {
		server := serve(t, says(http.StatusOK, body))
		if who, err := server.client(t, nil).Account.Whoami(t.Context()); err == nil {
			t.Errorf("%s with status 200: %+v, want an error", name, who)
		}
	}
}

func TestAnEndlessAnswerIsCutOff(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusBadRequest} {
		server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			block := strings.Repeat(" ", 1<<20)
			for range 9 {
				if _, err := io.WriteString(w, block); err != nil {
					return
				}
			}
		})
		if _, err := server.client(t, nil).Account.Whoami(t.Context()); err == nil || !strings.Contains(err.Error(), "8 MiB") {
			t.Errorf("status %d: %v, want an error that tells the bound", status, err)
		}
		if requests, _ := server.came(); len(requests) != 1 {
			t.Errorf("status %d: %d requests, want 1", status, len(requests))
		}
	}
}

func TestNoErrorShowsASecret(t *testing.T) {
	const secret = "cs_0123456789secret"
	server := serve(t, breaks)
	client, err := latchkey.New(latchkey.Config{BaseURL: server.URL, APIKey: testKey, MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	closed, err := latchkey.New(latchkey.Config{BaseURL: "http://127.0.0.1:1", APIKey: testKey, MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"a broken connection": func() error { _, err := client.Link.Status(t.Context(), secret); return err },
		"a closed port":       func() error { _, err := closed.Link.Status(t.Context(), secret); return err },
		"a spoiled secret":    func() error { _, err := client.Link.Status(t.Context(), secret+"/"); return err },
		"a spoiled path": func() error {
			_, err := client.Access.Do(t.Context(), "conn_1", latchkey.ProxyRequest{Path: secret + "/.."})
			return err
		},
		"a spoiled connection": func() error { _, err := client.Access.Self(t.Context(), secret+"\n"); return err },
	} {
		err := call()
		if err == nil {
			t.Errorf("%s is no error", name)
			continue
		}
		if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: the error has a secret in it", name)
		}
	}
}
