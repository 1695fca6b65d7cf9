package browsertest

import (
	"fmt"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// TestPopupsFinish is row B-7: a popup finishes whether its opener can be seen
// from it or not. Where it can't, the page says what to do.
func TestPopupsFinish(t *testing.T) {
	s, browser := newStage(t, latchtest.Options{}), start(t)
	const runs = 10 // of each policy
	finished := 0
	for _, policy := range []string{"same-origin-allow-popups", "same-origin"} {
		t.Run(policy, func(t *testing.T) {
			for i := range runs {
				reference := fmt.Sprintf("%s %d", policy, i)
				link := s.link(latchkey.AppEmbed, reference)
				tab := browser.Person(t)
				s.host(tab, "popup", s.embedded(link), "coop="+policy)
				page := browser.Opened(t, tab, func() { tab.Click("#open") }).Top()
				do(page, consent()...)
				do(page, login(fmt.Sprintf("jo%d@creator.sandbox.com", i), good))
				if policy == "same-origin" {
					page.Until("the page says what to do", `document.body.dataset.page === "done" && !document.querySelector("[data-return]").hidden`)
				} else {
					latchtest.Eventually(t, "the app is told", func() bool {
						return shottest.Eval[bool](tab, `records.some((r) => r.data.event === "success" && r.mine) && shown.closed`)
					})
				}
				if s.status(link) == "completed" && len(s.connected(reference)) == 1 {
					finished++
				}
				tab.Close()
			}
		})
	}
	fmt.Printf("RESULT B-7 %d 20\n", finished)
	if finished != 2*runs {
		t.Errorf("%d of %d popups finished", finished, 2*runs)
	}
}
