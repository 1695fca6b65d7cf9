package proxy

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"

	"latchkey/internal/connector"
	"latchkey/internal/vault"
	"latchkey/internal/web"
)

// call is one request on its way to the provider and back.
type call struct {
	*door
	request    *http.Request
	opened     *vault.Opened
	authorizer connector.Authorizer
	target     *url.URL
	hidden     *concealment
	lent       lentBuffers
}

// run passes the request on and the answer back.
func (c *call) run(w http.ResponseWriter) {
	passing := &httputil.ReverseProxy{
		Rewrite:        c.rewrite,
		Transport:      failing{finalOnly{c.transport(c.opened)}},
		ModifyResponse: c.answered,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if cause := context.Cause(r.Context()); cause == error(errEnded) {
				err = cause
			}
			web.WriteError(w, r, c.describe(err))
		},
		BufferPool: &c.lent,
		ErrorLog:   c.passing.ErrorLog,
	}
	passing.ServeHTTP(w, c.request)
}

// rewrite makes the outgoing request and gives it the credential.
func (c *call) rewrite(request *httputil.ProxyRequest) {
	rewrite(request, c.target)
	out := request.Out
	before, query := out.Header.Clone(), out.URL.RawQuery
	if err := c.authorizer.Authorize(out, c.opened.Credential); err != nil {
		failRequest(out, err)
		return
	}
	c.hidden.added(before, out.Header, query, out.URL.RawQuery)
}
