package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/web"
)

// anything is a body that decodes whatever there is.
type anything struct {
	Value any            `json:"value"`
	Map   map[string]any `json:"map"`
}

func decodeAnything(body string) error {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	var into anything
	return web.Decode(httptest.NewRecorder(), r, &into)
}

// around are bodies with a value in them: where any value is decoded, where
// one of a map is, and where what is unknown is passed by.
func around(value string) []string {
	return []string{`{"value":` + value + `}`, `{"map":{"key":` + value + `}}`, `{"unknown":` + value + `}`}
}

// verdict counts a text that is not judged as it should be. Everything that is
// refused is refused as invalid, and nothing of it is repeated.
func verdict(t *testing.T, body string, taken bool) int {
	t.Helper()
	err := decodeAnything(body)
	refused, ok := errors.AsType[*latchkey.Error](err)
	if taken && err == nil || !taken && ok && refused.Code == latchkey.Invalid {
		return 0
	}
	t.Errorf("%q: %v", body, err)
	return 1
}

func TestTheCorpusOfJSON(t *testing.T) {
	wrong, good, bad := 0, 0, 0
	for _, value := range goodValues {
		good++
		for _, body := range around(value) {
			wrong += verdict(t, body, true)
		}
		wrong += verdict(t, value, strings.HasPrefix(strings.TrimLeft(value, " \t\r\n"), "{") && value != `{"value":1,"VALUE":2}`)
	}
	for _, value := range badValues {
		bad++
		for _, body := range around(value) {
			wrong += verdict(t, body, false)
		}
	}
	for _, body := range badBodies {
		bad++
		wrong += verdict(t, body, false)
	}
	for _, text := range judged {
		wrong += verdict(t, `{"value":`+text.value+`}`, text.taken)
	}
	fmt.Printf("RESULT L-3 %d 0\n", wrong)
	fmt.Printf("RESULT L-3.y.n %d 90\n", good)
	fmt.Printf("RESULT L-3.n.n %d 180\n", bad)
	fmt.Printf("RESULT L-3.i.n %d 30\n", len(judged))
}

func TestInitJudgesJSONAsTheKitDoes(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	wrong, sent := 0, 0
	ask := func(body string, want int) {
		sent++
		if answer := s.Call("POST", "/v2/link/init", body); answer.Status != want {
			wrong++
			t.Errorf("%q: status %d, want %d: %s", body, answer.Status, want, answer.Body)
		}
	}
	for i := 0; i < len(goodValues); i += 6 {
		ask(`{"unknown":`+goodValues[i]+`}`, http.StatusOK)
	}
	for i := 0; i < len(badValues); i += 8 {
		ask(`{"unknown":`+badValues[i]+`}`, http.StatusBadRequest)
	}
	for i := 0; i < len(badBodies); i += 4 {
		ask(badBodies[i], http.StatusBadRequest)
	}
	fmt.Printf("RESULT L-3.init %d 0\n", wrong)
	fmt.Printf("RESULT L-3.init.n %d 60\n", sent)
}

// hostileBodies are made to be dear: much in little, or much of one thing.
func hostileBodies() map[string]string {
	const size = 64 << 10
	fill := func(before, unit, after string) string {
		return before + strings.Repeat(unit, (size-len(before)-len(after))/len(unit)) + after
	}
	var keys, folded strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&keys, `,"%x":0`, i)
		fmt.Fprintf(&folded, `,"nam%x":0`, i)
	}
	return map[string]string{
		"64 KiB of open lists": fill(`{"x":`, "[", ""), "64 KiB of open objects": fill(`{"x":`, `{"":`, ""), "64 KiB of open keys": fill("", `{"`, ""),
		"30 lists deep, again and again": fill(`{"x":[`, strings.Repeat("[", 29)+strings.Repeat("]", 29)+",", "0]}"),
		"32,000 numbers":                 fill(`{"x":[`, "0,", "0]}"), "16,000 empty objects": fill(`{"x":[`, "{},", "0]}"), "16,000 empty strings": fill(`{"x":[`, `"",`, "0]}"),
		"a number of 64 KiB": fill(`{"x":`, "9", "}"), "a number of 64 KiB for a field": fill(`{"count":`, "9", "}"), "a fraction of 64 KiB": fill(`{"count":0.`, "3", "}"),
		"an exponent of 64 KiB": fill(`{"count":1e`, "9", "}"), "64 KiB of zeros": fill(`{"count":0`, "0", "}"), "a string of escapes": fill(`{"name":"`, `\u0041`, `"}`),
		"a string of pairs": fill(`{"name":"`, `\ud834\udd1e`, `"}`), "a string of backslashes": fill(`{"name":"`, `\\`, `"}`), "a key of 64 KiB": fill(`{"`, "k", `":0}`),
		"an escaped key of 64 KiB": fill(`{"`, `\u006b`, `":0}`), "64 KiB of white space": fill("", " ", "{}"), "6,000 keys": "{" + keys.String()[1:min(len(keys.String()), size-2)] + "}",
		"6,000 keys like a known one": "{" + folded.String()[1:min(len(folded.String()), size-2)] + "}", "one key again and again": fill("{", `"a":0,`, `"a":0}`),
		"1,000,000 numbers": `{"x":[` + strings.Repeat("0,", 1_000_000) + "0]}", "1,000,000 lists": strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000),
		"a string of 10 MB": `{"name":"` + strings.Repeat("x", 10_000_000) + `"}`, "1,000,000 keys": "{" + strings.Repeat(`"a":0,`, 1_000_000) + `"a":0}`,
		"64 KiB that are no UTF-8": fill(`{"name":"`, "\xff", `"}`), "a string without an end": fill(`{"name":"`, "x", ""), "notes of 1,000 keys": fill(`{"notes":{`, `"a":"",`, `"b":""}}`),
		"stops without an end": fill(`{"stops":[`, `{"city":"a"},`, `{}]}`), "an unfinished escape": fill(`{"name":"`, "x", `\u00`),
	}
}

func TestAHostileBodyIsCheap(t *testing.T) {
	const mostBytes, mostTime, times = 1 << 20, 5 * time.Millisecond, 5
	dear, slowest, largest, bodies := 0, time.Duration(0), uint64(0), hostileBodies()
	for name, body := range bodies {
		quickest := time.Hour
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range times {
			started := time.Now()
			_, _ = decode(body, "application/json")
			quickest = min(quickest, time.Since(started))
		}
		runtime.ReadMemStats(&after)
		each := (after.TotalAlloc - before.TotalAlloc) / times
		slowest, largest = max(slowest, quickest), max(largest, each)
		if each > mostBytes {
			dear++
			t.Errorf("%s takes %d bytes", name, each)
		}
	}
	fmt.Printf("RESULT L-3.hostile %d 0\n", dear)
	fmt.Printf("RESULT L-3.hostile.n %d 30\n", len(bodies))
	fmt.Printf("RESULT L-3.hostile.bytes %d %d\n", largest, mostBytes)
	t.Logf("the slowest takes %s", slowest)
	if !latchtest.UnderRaceDetector() {
		fmt.Printf("RESULT L-3.hostile.ms %.1f %d\n", float64(slowest)/float64(time.Millisecond), mostTime/time.Millisecond)
	}
}
