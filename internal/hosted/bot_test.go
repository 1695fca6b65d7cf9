package hosted_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
)

// bots are programs that open links before people do: previews of messengers,
// scanners of mail, crawlers, monitors.
var bots = []string{
	"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
	"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Twitterbot/1.0", "TelegramBot (like TwitterBot)",
	"WhatsApp/2.23.20.0", "LinkedInBot/1.0 (compatible; Mozilla/5.0)", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
	"SkypeUriPreview Preview/0.5", "Mozilla/5.0 (Windows NT 10.0) Microsoft Office/16.0 (Microsoft Outlook 16.0; Pro)",
	"Mozilla/5.0 (compatible; proofpoint)", "Mozilla/5.0 (compatible; Barracuda Sentinel)", "BarracudaCentral/1.0", "Mimecast-URL-Protect/1.0",
	"Mozilla/5.0 (compatible; bingbot/2.0)", "Mozilla/5.0 (compatible; YandexBot/3.0)", "Applebot/0.1", "Iframely/1.3.1",
	"Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0.0.0", "curl/8.5.0",
}

// early are headers of those who load a page before anybody has asked for it:
// speculation rules, prefetch of links, previews, preflights.
var early = [][]string{
	{}, {"Purpose", "prefetch"}, {"Sec-Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"}, {"X-Moz", "prefetch"},
	{"X-Purpose", "preview"}, {"Sec-Purpose", "prefetch;anonymous-client-ip", "Sec-Speculation-Tags", "null"},
	{"Origin", "https://mail.example", "Access-Control-Request-Method", "POST"},
}

// botLooks lets the i-th bot look at a link.
func (p *person) botLooks(i int) {
	p.server.Helper()
	method, want := http.MethodGet, http.StatusOK
	switch i % 5 {
	case 1, 3:
		method = http.MethodHead
	case 4:
		method, want = http.MethodOptions, http.StatusNotFound
	}
	path := p.path()
	if i%3 == 0 {
		path = "/s" + path
	}
	if i%7 == 0 {
		path += fmt.Sprintf("?action=cancel&version=%d&provider=%s&embed=true", i%9, latchtest.ProviderID)
	}
	headers := append([]string{"apikey", "", "User-Agent", bots[i%len(bots)]}, early[i%len(early)]...)
	answer := p.server.Want(want, method, path, nil, headers...)
	if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Set-Cookie") != "" {
		p.server.Fatalf("%s %d is kept: %v", method, i, answer.Header)
	}
}

// row returns the stored session, every column of it, as bytes.
func (p *person) row() string {
	p.server.Helper()
	row, err := json.Marshal(p.stored(), json.Deterministic(true))
	if err != nil {
		p.server.Fatal(err)
	}
	return string(row)
}

// files returns the bytes of the database.
func files(s *latchtest.Server) string {
	s.Helper()
	var all []byte
	for _, name := range []string{"latchkey.db", "latchkey.db-wal"} {
		content, err := os.ReadFile(filepath.Join(s.Data, name))
		if err != nil {
			s.Fatal(err)
		}
		all = append(all, content...)
	}
	return string(all)
}

func TestLookingChangesNothing(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	var people []*person
	var rows []string
	for _, step := range steps {
		p := begin(s, step)
		people, rows = append(people, p), append(rows, p.row())
	}
	before, changed, looks := files(s), 0, 0
	_, facts := s.Calls(func() {
		for ; looks < 1000; looks++ {
			people[looks%len(people)].botLooks(looks / len(people))
		}
	})
	for i, p := range people {
		if now := p.row(); now != rows[i] {
			changed++
			t.Errorf("at %s the session changed by being looked at:\n%s\n%s", steps[i], rows[i], now)
		}
	}
	if facts != 0 || files(s) != before {
		changed++
		t.Errorf("%d facts were written, and the files of the database differ: %v", facts, files(s) != before)
	}
	fmt.Printf("RESULT S-4 %d 0\n", changed)
	fmt.Printf("RESULT S-4.n %d 1000\n", looks)
}

// logins are accounts of both providers, and what a person types for each
// after the password.
var logins = []struct {
	provider, username, password string
	code                         []string
}{
	{latchtest.ProviderID, "ada%d", latchtest.Password, nil},
	{latchtest.ProviderID, "otp-ada%d", latchtest.Password, []string{"code", latchtest.Code}},
	{"sandbox", "ada%d@creator.sandbox.com", "good-password", nil},
	{"sandbox", "ada%d@fan-otp.sandbox.com", "good-password", []string{"code", "123456"}},
}

func TestPeopleSucceedAfterBotsHaveLooked(t *testing.T) {
	const people = 100
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	succeeded := 0
	for i := range people {
		login := logins[i%len(logins)]
		link := s.Init(map[string]any{"provider": login.provider})
		p := &person{server: s, link: link}
		looked := 4 * i
		look := func() {
			p.botLooks(looked)
			looked++
		}
		look()
		p.Visit = s.Visit(link.URL)
		p.Submit("continue")
		look()
		p.Submit("approve")
		look()
		p.Submit("continue", "username", fmt.Sprintf(login.username, i), "password", login.password)
		if login.code != nil {
			look()
			p.Submit("continue", login.code...)
		}
		if p.Landed != nil && p.Landed.Query().Get("status") == "success" && p.stored().State == latchkey.StateCompleted {
			succeeded++
		} else {
			t.Errorf("person %d did not succeed: %v %s", i, p.Landed, p.Text())
		}
	}
	fmt.Printf("RESULT S-4.people %d 0\n", people-succeeded)
	fmt.Printf("RESULT S-4.people.n %d 100\n", people)
}
