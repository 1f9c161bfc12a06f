// SPDX-License-Identifier: Apache-2.0

package http

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// trustedSubnets are those of private networks and this machine.
const trustedSubnets = "127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, 100.64.0.0/10, ::1/128, fc00::/7, fe80::/10"

// newRealIP takes the client's address from what a proxy says, if the proxy is trusted.
func newRealIP(s settings) (middleware, error) {
	var subnets []netip.Prefix
	for _, text := range items(s.get("real_ip.trusted.subnets", "trusted_subnets", trustedSubnets)) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "real_ip.trusted.subnets: "+err.Error())
		}
		subnets = append(subnets, p)
	}
	all := s.get("real_ip.trust_all", "", "false") == "true"
	trusted := func(addr string) bool {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			host = addr
		}
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return false
		}
		for _, p := range subnets {
			if p.Contains(ip.Unmap().WithZone("")) {
				return true
			}
		}
		return false
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if all || trusted(r.RemoteAddr) {
				forwarded, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
				for _, text := range []string{r.Header.Get("True-Client-IP"), r.Header.Get("X-Real-IP"), forwarded} {
					if ip, err := netip.ParseAddr(strings.TrimSpace(text)); err == nil {
						r.RemoteAddr = ip.String()
						break
					}
				}
			}
			next.ServeHTTP(w, r)
		})
	}, nil
}
