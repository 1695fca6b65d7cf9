package hosted

import (
	"testing"

	"latchkey"
)

// stayPrompt is a login at which people may leave their password here.
var stayPrompt = latchkey.Prompt{Fields: append(loginPrompt.Fields[:2:2], latchkey.Field{
	Name: "stay_connected", Type: latchkey.FieldCheckbox, Label: "Keep my password to stay connected",
})}

func TestABoxIsAFreeChoice(t *testing.T) {
	document := draw(t, samplePage(Login{Prompt: stayPrompt}))
	checkInert(t, document)
	checkForms(t, document)
	checkUnique(t, document)
	box := document.Find(`form input[type=checkbox][name=stay_connected][value=true]`)
	if box.Length() != 1 || box.Is("[checked], [required]") {
		t.Fatalf("%d boxes, ticked or wanted: %t", box.Length(), box.Is("[checked], [required]"))
	}
	label := document.Find(`label[for="` + box.AttrOr("id", "") + `"]`)
	if label.Length() != 1 || label.Text() == "" {
		t.Error("the box has no label")
	}
	t.Run("in every language", func(t *testing.T) {
		for tag, spoken := range tongues {
			if tag != "en" && spoken.texts["known."+stayPrompt.Fields[2].Label] == stayPrompt.Fields[2].Label {
				t.Errorf("%s has the English words", tag)
			}
			if spoken.texts["known."+stayPrompt.Fields[2].Label] == "" {
				t.Errorf("%s has no words", tag)
			}
		}
	})
	t.Run("and no reason of a refusal, which stands under what was typed last", func(t *testing.T) {
		refused := draw(t, samplePage(Login{Prompt: stayPrompt, Refused: latchkey.FailureInvalidCredentials, AttemptsLeft: 3}))
		if refused.Find("input[type=checkbox][aria-invalid]").Length() != 0 {
			t.Error("the box is marked as wrong")
		}
		if refused.Find(`.field:has(input[type=password]) #refusal`).Length() != 1 {
			t.Error("the reason does not stand under the password")
		}
	})
}
