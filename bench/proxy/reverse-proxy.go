// A peer for `npm run bench:proxy`: what a proxy for models is in Go, at its smallest. It reads the body, finds the model, looks
// it up, and leaves the rest to the standard library's ReverseProxy. No log, no metrics, no scheduling.
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	target, err := url.Parse("http://127.0.0.1:" + os.Args[2])
	if err != nil {
		panic(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2048, DisableCompression: true},
	}
	models := map[string]http.Handler{"bench": proxy}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var asked struct {
			Model string `json:"model"`
		}
		if err != nil || json.Unmarshal(body, &asked) != nil || models[asked.Model] == nil {
			http.Error(w, "no such model", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		models[asked.Model].ServeHTTP(w, r)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], handler))
}
