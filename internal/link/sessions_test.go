package link_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestSessionsAreListed(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		start := h.Clock.Now()
		var made []begun
		for i := range 12 { // a minute apart
			made = append(made, h.begin("clientReferenceId", fmt.Sprintf(`user "%d"`, i%3)))
			h.Clock.Move(time.Minute)
		}
		hosted := begun{h, h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppRedirect]})}
		connection := made[0].login("ada").Data.ID
		made[1].take(agreed)
		made[1].take(map[string]string{"username": "ada", "password": "wrong"})
		made[2].send(submission{Version: 1, Action: "deny"})
		made[3].take(agreed)
		made[3].take(credentials("otp-ada"))

		ids := func(indices ...int) []string {
			list := []string{}
			for _, i := range indices {
				list = append(list, made[i].SessionID)
			}
			return list
		}
		list := func(query string) (got []string, more bool) {
			t.Helper()
			type page struct {
				List []struct {
					ID string `json:"id"`
				} `json:"list"`
				HasMore bool `json:"hasMore"`
			}
			answered := latchtest.Decode[page](h.Server, h.Want(http.StatusOK, "GET", "/v2/link/sessions?"+query, nil))
			got = []string{}
			for _, session := range answered.List {
				got = append(got, session.ID)
			}
			return got, answered.HasMore
		}
		at := func(minutes int) string {
			return start.Add(time.Duration(minutes)*time.Minute - time.Second).UTC().Format(time.RFC3339Nano)
		}
		for query, want := range map[string][]string{
			"limit=100":                      append([]string{hosted.SessionID}, ids(11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)...),
			"limit=2&offset=1":               ids(11, 10),
			"limit=2&offset=12":              ids(0),
			"status=completed":               ids(0),
			"status=invalid_credentials":     ids(1),
			"status=denied":                  ids(2),
			"status=awaiting_2fa":            ids(3),
			"status=failed":                  ids(),
			"clientReferenceId=user+%221%22": ids(10, 7, 4, 1),
			"clientReferenceId=user+":        ids(),
			"clientReferenceId=%25":          ids(),
			"clientReferenceId=user+%220%22&status=initialized":         ids(9, 6),
			"clientAppId=" + h.Trial.ClientApps[latchkey.AppRedirect]:   {hosted.SessionID},
			"clientAppId=app_unknown":                                   ids(),
			"from=" + at(9) + "&to=" + at(11):                           ids(10, 9),
			"to=" + at(2):                                               ids(1, 0),
			"to=" + at(0):                                               ids(),
			"limit=100&from=" + at(11):                                  append([]string{hosted.SessionID}, ids(11)...),
			"limit=1&status=initialized&clientReferenceId=user+%222%22": ids(11),
		} {
			if got, _ := list(query); !cmp.Equal(want, got) {
				t.Errorf("%s (-want +got):\n%s", query, cmp.Diff(want, got))
			}
		}
		if got, more := list(""); len(got) != 10 || !more {
			t.Errorf("without a limit: %d, more: %v", len(got), more)
		}
		if _, more := list("limit=13"); more {
			t.Error("there is more than there is")
		}
		for query, field := range map[string]string{
			"status=none": "status", "status=not_found": "status", "from=yesterday": "from", "to=2026-01-01": "to", "limit=0": "limit",
			"offset=-1": "offset", "clientAppId=%00": "clientAppId", "clientReferenceId=%ff": "clientReferenceId",
		} {
			wantRefusal(t, query, h.refused(h.Call("GET", "/v2/link/sessions?"+query, nil)), http.StatusBadRequest, latchkey.Invalid, field)
		}
		answer := string(h.Call("GET", "/v2/link/sessions?status=completed", nil).Body)
		stored := made[0].stored()
		want := fmt.Sprintf(`{"list":[{"id":%q,"status":"completed","clientAppId":%q,"mode":"whitelabel","provider":"tester",`+
			`"clientReferenceId":"user \"0\"","connectionId":%q,"errorCode":null,"step":null,"createdAt":%q,"updatedAt":%q,`+
			`"expiresAt":%q}],"hasMore":false}`, made[0].SessionID, made[0].stored().ClientAppID, connection,
			latchkey.FormatTime(stored.CreatedAt), latchkey.FormatTime(stored.UpdatedAt), latchkey.FormatTime(stored.ExpiresAt))
		if diff := cmp.Diff(want, answer); diff != "" {
			t.Error(diff)
		}
		for query, part := range map[string]string{
			"status=denied":       `"connectionId":null,"errorCode":"cancelled","step":"authorization"`,
			"status=awaiting_2fa": `"connectionId":null,"errorCode":null,"step":"2fa"`,
			"clientAppId=" + h.Trial.ClientApps[latchkey.AppRedirect]: `"mode":"hosted","provider":null,"clientReferenceId":null,` +
				`"connectionId":null,"errorCode":null,"step":"pre-login"`,
		} {
			if answer := string(h.Call("GET", "/v2/link/sessions?"+query, nil).Body); !strings.Contains(answer, part) {
				t.Errorf("%s: %s lacks %s", query, answer, part)
			}
		}
	})
}
