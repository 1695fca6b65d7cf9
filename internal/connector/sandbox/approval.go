package sandbox

import (
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

const (
	pushApproval = 2 * time.Second // from the push to its approval
	faceLook     = 2 * time.Second // until a look at a face check is worth it
	faceRequests = 3               // face checks that can be asked for
)

// startPush asks the person's other device.
func (a attempt) startPush() (connector.Step, error) {
	a.state.Stage, a.state.SentAt = atPush, a.now.UnixMilli()
	return a.waitForPush()
}

// push looks whether the other device has approved; resend asks it again.
func (a attempt) push() (connector.Step, error) {
	if a.input.Action == latchkey.ActionResend {
		return a.startPush()
	}
	if a.looks() && !a.now.Before(a.state.sent().Add(pushApproval)) {
		return a.done()
	}
	return a.waitForPush()
}

// waitForPush waits for what is left of the approval.
func (a attempt) waitForPush() (connector.Step, error) {
	left := a.state.sent().Add(pushApproval).Sub(a.now)
	return a.wait(left, latchkey.Prompt{
		Message:   "Approve the login on your other device.",
		CanResend: true,
		TwoFactor: &latchkey.TwoFactorState{Options: []string{methodPush}},
	})
}

// startFace asks for a face check, within the budget of this login.
func (a attempt) startFace() (connector.Step, error) {
	if a.state.SentAt == 0 {
		a.state.RequestsLeft = faceRequests
	}
	a.state.Stage = atFace
	return a.requestFace()
}

// face passes at the first look; resend asks for another check.
func (a attempt) face() (connector.Step, error) {
	switch {
	case a.input.Action == latchkey.ActionResend:
		return a.requestFace()
	case a.looks():
		return a.done()
	}
	return a.waitForFace()
}

// requestFace takes a face check from the budget and waits for it; past the
// budget the last one stays open.
func (a attempt) requestFace() (connector.Step, error) {
	if a.state.RequestsLeft > 0 {
		a.state.RequestsLeft--
		a.state.SentAt = a.now.UnixMilli()
	}
	return a.waitForFace()
}

// waitForFace waits for the face check.
func (a attempt) waitForFace() (connector.Step, error) {
	return a.wait(faceLook, latchkey.Prompt{
		Message:   "Look into the camera of your device.",
		CanResend: a.state.RequestsLeft > 0,
		TwoFactor: &latchkey.TwoFactorState{
			Options:  []string{methodFace},
			FaceCode: &latchkey.FaceBudget{RequestAttemptsLimit: faceRequests, RequestAttemptsLeft: a.state.RequestsLeft},
		},
	})
}

// looks reports whether the input asks how far the approval is.
func (a attempt) looks() bool {
	return a.input.Action == latchkey.ActionPoll || a.input.Action == latchkey.ActionContinue
}

// wait asks to be polled after a while, at least a millisecond.
func (a attempt) wait(after time.Duration, prompt latchkey.Prompt) (connector.Step, error) {
	encoded, err := a.state.encode()
	if err != nil {
		return nil, err
	}
	return connector.Wait{After: max(after, time.Millisecond), Prompt: prompt, State: encoded}, nil
}
