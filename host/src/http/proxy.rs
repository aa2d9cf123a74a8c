//! Which proxy is used: as curl does, the one that `HTTPS_PROXY` (for plain HTTP `http_proxy`, in lower case only: a web
//! server hands the other one to CGI programs) or else `ALL_PROXY` names, but for the hosts of `NO_PROXY`. What cannot be used
//! is refused by the variable's name, and never passed by.

use ureq::{Proxy, ProxyProtocol};

/// Of these, the first that is set and not empty counts.
pub(super) type Variables = &'static [&'static str];
pub(super) const HTTPS: Variables = &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
pub(super) const PLAIN: Variables = &["http_proxy", "all_proxy", "ALL_PROXY"];
const NO_PROXY: Variables = &["no_proxy", "NO_PROXY"];

/// The proxy, or the variable that cannot be used.
pub(super) fn from_variables(
    variables: Variables,
    value: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, &'static str> {
    let set = |names: Variables| {
        names.iter().find_map(|name| {
            let value = value(name)?.trim().to_owned();
            (!value.is_empty()).then_some((*name, value))
        })
    };
    let Some((name, url)) = set(variables) else {
        return Ok(None);
    };
    let given = Proxy::new(&url).ok();
    let usable = |it: &Proxy| matches!(it.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    let given = given.filter(usable).ok_or(name)?;
    let mut proxy = Proxy::builder(given.protocol())
        .host(given.host())
        .port(given.port());
    if let Some(username) = given.username() {
        proxy = proxy.username(username);
    }
    if let Some(password) = given.password() {
        proxy = proxy.password(password);
    }
    if let Some((name, hosts)) = set(NO_PROXY) {
        for host in hosts.split([',', ' ']).filter(|host| !host.is_empty()) {
            // Networks are not known here, and a host of one would be asked by way of the proxy.
            if host.contains('/') {
                return Err(name);
            }
            // A name stands for itself and what is below it, with a dot before it or without.
            let bare = host.trim_start_matches("*.").trim_start_matches('.');
            proxy = proxy.no_proxy(bare).no_proxy(&format!(".{bare}"));
        }
    }
    proxy.build().map(Some).map_err(|_| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Result<Option<Proxy>, &'static str> {
        chosen_for(HTTPS, variables)
    }

    fn chosen_for(
        names: Variables,
        variables: &[(&str, &str)],
    ) -> Result<Option<Proxy>, &'static str> {
        from_variables(names, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_that_is_set_is_used() {
        let proxy = |variables| chosen(variables).unwrap().map(|it| it.host().to_owned());
        assert_eq!(proxy(&[]), None);
        assert_eq!(proxy(&[("HTTP_PROXY", "http://plain:1")]), None);
        let both = [("ALL_PROXY", "http://all:1"), ("HTTPS_PROXY", "one:1")];
        assert_eq!(proxy(&both).as_deref(), Some("one"));
        let empty = [("https_proxy", " "), ("all_proxy", "https://u:p@all:1")];
        assert_eq!(proxy(&empty).as_deref(), Some("all"));
    }

    #[test]
    fn plain_http_has_a_variable_of_its_own() {
        let all = [
            ("HTTPS_PROXY", "http://secure:1"),
            ("HTTP_PROXY", "http://shouted:1"),
            ("ALL_PROXY", "http://all:1"),
        ];
        let host = |proxy: Option<Proxy>| proxy.map(|it| it.host().to_owned());
        assert_eq!(
            host(chosen_for(PLAIN, &all).unwrap()).as_deref(),
            Some("all")
        );
        let own = [&all[..], &[("http_proxy", "http://plain:1")]].concat();
        assert_eq!(
            host(chosen_for(PLAIN, &own).unwrap()).as_deref(),
            Some("plain")
        );
        let bad = [("http_proxy", "socks5://s:1")];
        assert_eq!(chosen_for(PLAIN, &bad).err(), Some("http_proxy"));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        for url in [
            "socks5://s:1080",
            "socks4://s",
            "http://",
            "://",
            "http://a b",
            "ftp://f:1",
        ] {
            let refused = chosen(&[("HTTPS_PROXY", url), ("ALL_PROXY", "http://good:1")]);
            assert_eq!(refused.err(), Some("HTTPS_PROXY"), "{url}");
        }
        let network = [
            ("ALL_PROXY", "http://p:1"),
            ("NO_PROXY", "a.example, 10.0.0.0/8"),
        ];
        assert_eq!(chosen(&network).err(), Some("NO_PROXY"));
    }

    #[test]
    fn exceptions_are_names_and_what_is_below_them() {
        let hosts = " example.com,.dot.example  *.star.example , 10.1.2.3";
        let proxy = chosen(&[("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", hosts)]);
        let proxy = proxy.unwrap().unwrap();
        for (host, is_excepted) in [
            ("example.com", true),
            ("a.example.com", true),
            ("notexample.com", false),
            ("dot.example", true),
            ("b.dot.example", true),
            ("c.star.example", true),
            ("10.1.2.3", true),
            ("10.1.2.30", false),
        ] {
            let uri = format!("https://{host}/").parse().unwrap();
            assert_eq!(proxy.is_no_proxy(&uri), is_excepted, "{host}");
        }
    }
}
