package killtest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	forgottenWithin = 5 * time.Second  // of the end of a session, by the plan
	forgottenAtLast = 30 * time.Second // on a busy machine
)

// oneByOne has one connection.
var oneByOne = &http.Client{
	Transport:     &http.Transport{MaxConnsPerHost: 1},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// What people have typed, and the links by which they came, is not in the memory
// of the process once their sessions have ended.
func TestNothingTypedStaysInMemory(t *testing.T) {
	s := newServer(t, "")
	s.start()
	s.checkHardened()
	wanted := map[string][]string{}
	for n := range 3 {
		secret := s.typeAndLink(n)
		wanted["password"] = append(wanted["password"], fmt.Sprintf("typed-password-%d-canary", n))
		wanted["code"] = append(wanted["code"], fmt.Sprintf("typed-code-%d-canary", n))
		wanted["client_secret"] = append(wanted["client_secret"], secret)
	}
	wanted["client_secret"] = append(wanted["client_secret"], s.linkByJSON())
	ended := time.Now()
	if found := s.scan([]string{strings.TrimPrefix(s.url, "http://")}); len(found) == 0 {
		t.Error("the scan does not find what is there: the address that it listens on")
	}
	var left []string
	for time.Since(ended) < forgottenAtLast {
		if left = s.scan(slices.Concat(slices.Collect(maps.Values(wanted))...)); len(left) == 0 {
			break
		}
	}
	for kind, canaries := range wanted {
		found := 0
		for _, canary := range canaries {
			if slices.Contains(left, canary) {
				found++
			}
		}
		fmt.Printf("RESULT V-6.%s %d 0\n", kind, found)
		if found != 0 {
			t.Errorf("%s: %d are found", kind, found)
		}
	}
	fmt.Printf("RESULT V-6.seconds %.1f %.0f\n", time.Since(ended).Seconds(), forgottenWithin.Seconds())
}

// typeAndLink refuses a password and a code, then links, asks by the API how
// that stands, and returns the session's client secret.
func (s *server) typeAndLink(n int) string {
	s.Helper()
	_, _, body, err := s.sendAlone("POST", s.url+"/v2/link/init", "application/json", fmt.Sprintf(`{"clientReferenceId":"m_%d"}`, n))
	if err != nil {
		s.Fatal(err)
	}
	var session struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(body, &session); err != nil {
		s.Fatal(err)
	}
	user := fmt.Sprintf("m%d%%40creator-otp.sandbox.com", n)
	for _, fields := range []string{
		"action=continue", "action=approve",
		"action=continue&username=" + user + fmt.Sprintf("&password=typed-password-%d-canary", n),
		"action=continue&username=" + user + "&password=good-password",
		fmt.Sprintf("action=continue&code=typed-code-%d-canary", n),
		"action=continue&code=123456",
	} {
		status, _, page, err := s.sendAlone("GET", session.URL, "text/html", "")
		if err != nil || status != http.StatusOK {
			s.Fatalf("page: %d, %v", status, err)
		}
		version := regexp.MustCompile(`name="version" value="(\d+)"`).FindSubmatch(page)
		if version == nil {
			s.Fatalf("a page without a form:\n%s", page)
		}
		status, _, answer, err := s.sendAlone("POST", session.URL, "application/x-www-form-urlencoded", "version="+string(version[1])+"&"+fields)
		if err != nil || status != http.StatusSeeOther {
			s.Fatalf("step: %d, %v\n%s", status, err, answer)
		}
	}
	secret := session.URL[strings.LastIndex(session.URL, "/")+1:]
	if _, _, body, err = s.sendAlone("GET", s.url+"/v2/link/"+secret, "application/json", ""); err != nil || !bytes.Contains(body, []byte(`"conn_`)) {
		s.Fatalf("status: %v\n%s", err, body)
	}
	return secret
}

// linkByJSON links as an app with pages of its own does, on a connection that it
// keeps, and returns the session's client secret.
func (s *server) linkByJSON() string {
	s.Helper()
	post := func(path, body string) (answer struct {
		ID           string `json:"id"`
		ClientSecret string `json:"clientSecret"`
		Status       string `json:"status"`
		Data         struct {
			Step struct {
				Version     int64  `json:"version"`
				TextVersion string `json:"textVersion"`
			} `json:"step"`
		} `json:"data"`
	}) {
		s.Helper()
		status, _, text, err := s.sendAlone("POST", s.url+path, "application/json", body)
		if err == nil && status/100 == 2 {
			err = json.Unmarshal(text, &answer)
		}
		if err != nil || status/100 != 2 {
			s.Fatalf("%s: %d, %v\n%s", path, status, err, text)
		}
		return answer
	}
	app := post("/v2/client-apps", `{"name":"Own","domain":"own.example","type":"whitelabel","whitelabelEnabled":true,"permissions":[{"name":"profile:read","purpose":"to greet you"}]}`)
	secret := post("/v2/link/init", fmt.Sprintf(`{"clientAppId":%q,"provider":"sandbox","clientReferenceId":"own"}`, app.ID)).ClientSecret
	submit := "/v2/link/" + secret + "/submit"
	_, _, text, err := s.sendAlone("GET", s.url+"/v2/link/"+secret, "application/json", "")
	version := regexp.MustCompile(`"textVersion":"([^"]+)"`).FindSubmatch(text)
	if err != nil || version == nil {
		s.Fatalf("status: %v\n%s", err, text)
	}
	consented := post(submit, fmt.Sprintf(`{"version":1,"fields":{"textVersion":%q}}`, version[1]))
	done := post(submit, fmt.Sprintf(`{"version":%d,"fields":{"username":"own@creator.sandbox.com","password":"good-password"}}`, consented.Data.Step.Version))
	if done.Status != "completed" {
		s.Fatalf("it ends as %s", done.Status)
	}
	return secret
}

// sendAlone sends a request on the one connection that a person or backend of this test
// has: of a second one, left idle, the server would keep the last request.
func (s *server) sendAlone(method, address, contentType, body string) (int, string, []byte, error) {
	return s.sendBy(s.Context(), oneByOne, method, address, contentType, body)
}

// checkHardened wants no core file, and memory that is nobody else's.
func (s *server) checkHardened() {
	s.Helper()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.process.Process.Pid))
	if err != nil {
		s.Fatal(err)
	}
	core := regexp.MustCompile(`Max core file size +0 +0 `).Match(limits)
	fmt.Printf("RESULT V-6.core_files_forbidden %t true\n", core)
	if !core {
		s.Errorf("a core file is allowed:\n%s", limits)
	}
}

// scan returns which of the texts are in the writable memory of the process.
func (s *server) scan(texts []string) []string {
	s.Helper()
	folder := fmt.Sprintf("/proc/%d/", s.process.Process.Pid)
	maps, err := os.ReadFile(folder + "maps")
	if err != nil {
		s.Fatal(err)
	}
	memory, err := os.Open(folder + "mem")
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	var found []string
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		from, to, _ := strings.Cut(fields[0], "-")
		start, err1 := strconv.ParseInt(from, 16, 64)
		end, err2 := strconv.ParseInt(to, 16, 64)
		if err1 != nil || err2 != nil || !strings.HasPrefix(fields[1], "rw") {
			continue // the vsyscall page is beyond int64
		}
		region := make([]byte, end-start)
		n, _ := memory.ReadAt(region, start) // some regions can't be read: nothing is in them
		for _, text := range texts {
			if bytes.Contains(region[:n], []byte(text)) {
				found = append(found, text)
			}
		}
	}
	return found
}
