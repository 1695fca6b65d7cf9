package mediawikitest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// visitor is a browser.
func visitor(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: starting}
}

// logIn submits the wiki's login form and returns who the API says it is.
func logIn(t *testing.T, s *Server, client *http.Client, username, password string) string {
	t.Helper()
	response, err := client.Get(s.URL + "/index.php?title=Special:UserLogin")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := goquery.NewDocumentFromReader(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"wpName": {username}, "wpPassword": {password}}
	page.Find("form[name=userlogin] input[type=hidden]").Each(func(_ int, input *goquery.Selection) {
		form.Set(input.AttrOr("name", ""), input.AttrOr("value", ""))
	})
	answer, err := client.PostForm(s.URL+page.Find("form[name=userlogin]").AttrOr("action", ""), form)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	who, err := client.Get(s.URL + "/api.php?action=query&meta=userinfo&format=json")
	if err != nil {
		t.Fatal(err)
	}
	defer who.Body.Close()
	text, err := io.ReadAll(who.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAWikiOfTheTestsOwn(t *testing.T) {
	began := time.Now()
	server := Start(t)
	took := time.Since(began)
	fmt.Printf("RESULT mediawikitest.start %d ms (limit 30000 ms)\n", took.Milliseconds())
	if took > 30*time.Second {
		t.Errorf("it took %s to start", took)
	}
	server.CreateUser(t, "Ada", `correct "horse" bättery`)
	if who := logIn(t, server, visitor(t), "Ada", `correct "horse" bättery`); !strings.Contains(who, `"name":"Ada"`) {
		t.Errorf("the right password makes %s", who)
	}
	if who := logIn(t, server, visitor(t), "Ada", "wrong horse battery"); !strings.Contains(who, `"anon"`) {
		t.Errorf("a wrong password makes %s", who)
	}
}
