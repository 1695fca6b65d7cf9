package shottest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Together keeps frames of other sites in the process of their page, so that
// a test can look into them.
var Together = []string{"disable-site-isolation-trials", "disable-features=IsolateOrigins,site-per-process,Translate"}

// Flags are options of the browser: each a name, or a name and its value
// behind "=".
func Flags(flags ...string) []chromedp.ExecAllocatorOption {
	options := make([]chromedp.ExecAllocatorOption, len(flags))
	for i, flag := range flags {
		options[i] = chromedp.Flag(flag, true)
		if name, value, valued := strings.Cut(flag, "="); valued {
			options[i] = chromedp.Flag(name, value)
		}
	}
	return options
}

// Frame is a document inside of a tab, or the tab's own.
type Frame struct {
	tab    *Tab
	prefix string // of its address; "": the tab's own document
}

// Frame returns the frame whose address begins with the prefix, whenever it is
// there.
func (tab *Tab) Frame(prefix string) Frame { return Frame{tab, prefix} }

// Top is the tab's own document.
func (tab *Tab) Top() Frame { return Frame{tab, ""} }

// world returns an execution context in the frame that the page's own scripts
// can't see; 0 while the frame is not there.
func (f Frame) world(ctx context.Context) runtime.ExecutionContextID {
	tree, err := chromedp.Call(ctx, page.GetFrameTree, cdp.Empty{})
	if err != nil {
		return 0
	}
	found := tree.FrameTree.Frame
	if f.prefix != "" {
		found = nil
		for _, child := range tree.FrameTree.ChildFrames {
			if strings.HasPrefix(child.Frame.URL, f.prefix) {
				found = child.Frame
			}
		}
	}
	if found == nil {
		return 0
	}
	world, err := chromedp.Call(ctx, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: found.ID})
	if err != nil {
		return 0
	}
	return world.ExecutionContextID
}

// Try evaluates an expression in the frame and reports whether that could be
// done and the result is true.
func (f Frame) Try(expression string) bool {
	ctx, cancel := context.WithTimeout(f.tab.ctx, patience)
	defer cancel()
	world := f.world(ctx)
	if world == 0 {
		return false
	}
	answer, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: world, ReturnByValue: new(true), UserGesture: new(true),
	})
	if err != nil || answer.ExceptionDetails != nil || answer.Result == nil {
		return false
	}
	var truth bool
	return json.Unmarshal([]byte(answer.Result.Value), &truth) == nil && truth
}

// Until waits until the expression is true in the frame.
func (f Frame) Until(what, expression string) {
	f.tab.t.Helper()
	deadline := time.Now().Add(patience / 3)
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for !f.Try(expression) {
		if time.Now().After(deadline) {
			f.tab.t.Fatalf("it never happened that %s", what)
		}
		<-ticks.C
	}
}

// Fill types the values into the fields and presses the button of the action.
func (f Frame) Fill(action string, fields map[string]string) {
	f.tab.t.Helper()
	if fields == nil {
		fields = map[string]string{}
	}
	values, err := json.Marshal(fields)
	if err != nil {
		f.tab.t.Fatal(err)
	}
	f.Until("the button "+action+" is pressed", fmt.Sprintf(`((fields, action) => {
		const button = document.querySelector("main button[value=" + action + "]");
		if (!button || document.body.hasAttribute("aria-busy")) return false;
		for (const name of Object.keys(fields)) {
			const input = document.querySelector("main [name=" + name + "]");
			if (!input) return false;
			input.value = fields[name];
			if (input.type === "radio") document.querySelector("main [name=" + name + "][value=" + fields[name] + "]").checked = true;
		}
		button.click();
		return true;
	})(%s, %q)`, values, action))
}

// calm waits until nothing of a window has changed for a while: chromedp reads
// the nodes of a window that it attaches to without a lock, and trips over
// those that change meanwhile.
func calm(ctx context.Context, id target.ID) {
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	last := ""
	for same := 0; same < 8; <-ticks.C {
		list, err := chromedp.Targets(ctx)
		if err != nil {
			return // attaching tells why
		}
		now := "closed"
		for _, info := range list {
			if info.TargetID == id {
				now = info.URL + " " + info.Title
			}
		}
		if same++; now != last {
			last, same = now, 0
		}
	}
}

// Opened returns the tab of the window that the act opens.
func (b *Browser) Opened(t testing.TB, opener *Tab, act func()) *Tab {
	t.Helper()
	own := chromedp.FromContext(opener.ctx).Target.TargetID
	found := chromedp.WaitNewTarget(opener.ctx, func(info *target.Info) bool { return info.OpenerID == own })
	act()
	select {
	case id := <-found:
		calm(opener.ctx, id)
		ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(id))
		t.Cleanup(cancel)
		if err := chromedp.Do(ctx); err != nil {
			t.Fatalf("attach to the window: %v", err)
		}
		return &Tab{t: t, ctx: ctx}
	case <-time.After(patience):
		t.Fatal("no window was opened")
	}
	return nil
}
