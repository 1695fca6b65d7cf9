package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// through sends a request through a handler of this process.
func through(ctx context.Context, handler http.HandlerFunc, body string) (*http.Response, error) {
	request := httptest.NewRequest(http.MethodPost, "https://local.example/a%2Fb?c=d", strings.NewReader(body)).WithContext(ctx)
	return localTransport{handler}.RoundTrip(request)
}

func TestALocalHandlerSeesTheRequestAndItsAnswerStreams(t *testing.T) {
	next := make(chan struct{})
	response, err := through(t.Context(), func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Saw", r.Method+" "+r.RequestURI+" "+string(body))
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Late", "never sent")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "one")
		<-next
		_, _ = io.WriteString(w, "two")
	}, "body")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusAccepted || response.Header.Get("X-Late") != "" ||
		response.Header.Get("X-Saw") != "POST /a%2Fb?c=d body" {
		t.Errorf("status %d, header %v", response.StatusCode, response.Header)
	}
	first := make([]byte, 3)
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "one" {
		t.Fatalf("first %q, %v", first, err)
	}
	close(next)
	if rest, err := io.ReadAll(response.Body); err != nil || string(rest) != "two" {
		t.Errorf("rest %q, %v", rest, err)
	}
}

func TestALocalHandlerThatSaysNothingIsOK(t *testing.T) {
	response, err := through(t.Context(), func(http.ResponseWriter, *http.Request) {}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || len(body) != 0 || err != nil {
		t.Errorf("status %d, body %q, %v", response.StatusCode, body, err)
	}
}

func TestALocalHandlerThatPanicsCutsItsAnswer(t *testing.T) {
	response, err := through(t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic("no more")
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); string(body) != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("body %q, %v", body, err)
	}
}

func TestACallerThatLeavesIsNotKeptByALocalHandler(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	gone, ended := make(chan struct{}), make(chan error, 1)
	response, err := through(ctx, func(w http.ResponseWriter, _ *http.Request) {
		leave()
		<-gone
		_, err := w.Write(make([]byte, 1<<20))
		ended <- err
	}, "")
	if !errors.Is(err, context.Canceled) {
		if response != nil {
			_ = response.Body.Close()
		}
		t.Errorf("the error is %v", err)
	}
	close(gone)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the handler's write ended with %v", err)
	}
}

func TestABufferComesBackEmpty(t *testing.T) {
	lent := lentBuffers{pool: newBufferPool()}
	buffer := lent.Get()
	lent.note(copy(buffer, "somebody's"))
	lent.Put(buffer)
	if got := lent.Get(); len(got) != bufferSize || strings.Trim(string(buffer), "\x00") != "" {
		t.Errorf("a buffer of %d bytes holds %.20q", len(got), buffer)
	}
}
