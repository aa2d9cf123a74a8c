//! A person's browser: as much of one as the pages of these providers need. It keeps cookies, follows redirects, and
//! fills in forms; scripts do not run.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;
use std::time::Duration;

use privyseal_test_base::tool::output_within;
use privyseal_test_judges::node;
use serde_json::{Map, Value, json};
use ureq::Agent;
use ureq::http::{Response, header};

use crate::keycloak::agent;

/// How many redirects are followed in a row.
const MAX_REDIRECTS: usize = 10;

/// A browser with the cookies of one provider.
pub struct Browser {
    agent: Agent,
    origin: String,
    cookies: BTreeMap<String, String>,
}

/// A page of the provider.
#[derive(Debug)]
pub struct Page {
    url: String,
    html: String,
}

/// Where a browser has come to.
#[derive(Debug)]
pub enum Place {
    /// Still at the provider.
    Page(Page),
    /// Sent elsewhere, and not gone there: the address.
    Elsewhere(String),
}

impl Browser {
    /// A new one, which trusts `ca_pem` and stays below `issuer`'s origin.
    pub fn new(issuer: &str, ca_pem: &str) -> Self {
        let origin: Vec<_> = issuer.splitn(4, '/').take(3).collect();
        Self {
            agent: agent(ca_pem, 0),
            origin: origin.join("/"),
            cookies: BTreeMap::new(),
        }
    }

    /// Opens `url`, fills in one form after the other, and gives the address that the provider then sends it to.
    ///
    /// # Panics
    /// If it is sent nowhere, with the page that it stands at.
    pub fn walk(&mut self, url: &str, forms: &[&[(&str, &str)]]) -> String {
        let mut place = self.open(url);
        for form in forms {
            place = match place {
                Place::Page(page) => self.submit(&page, form),
                Place::Elsewhere(url) => panic!("sent to {url}, and a form was expected: {form:?}"),
            };
        }
        match place {
            Place::Elsewhere(url) => url,
            Place::Page(page) => panic!("at {}\n{}", page.url, page.html),
        }
    }

    /// Opens an address of the provider.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn open(&mut self, url: &str) -> Place {
        let mut url = url.to_owned();
        for _ in 0..MAX_REDIRECTS {
            let request = self.agent.get(&url).header(header::COOKIE, self.cookie());
            let response = request.call().expect("the provider answers");
            match self.arrive(&url, response) {
                Place::Elsewhere(next) if self.is_mine(&next) => url = next,
                place => return place,
            }
        }
        panic!("redirects without end, at {url}");
    }

    /// Sends the first form of a page, with its hidden members and these.
    ///
    /// # Panics
    /// If there is no form.
    pub fn submit(&mut self, page: &Page, members: &[(&str, &str)]) -> Place {
        let (_, form) = page.html.split_once("<form").unwrap_or_else(|| {
            panic!("a form was expected at {}:\n{}", page.url, page.html);
        });
        let form = form.split("</form>").next().unwrap_or_default();
        let url = self.absolute(&page.url, &attribute(form, "action").expect("an action"));
        let hidden = form.split("<input").skip(1).filter_map(|input| {
            let input = input.split('>').next()?;
            let is_hidden = attribute(input, "type").as_deref() == Some("hidden");
            let name = attribute(input, "name").filter(|_| is_hidden)?;
            Some((name, attribute(input, "value").unwrap_or_default()))
        });
        let hidden: Vec<(String, String)> = hidden.collect();
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&hidden)
            .extend_pairs(members)
            .finish();
        let request = self
            .agent
            .post(&url)
            .header(header::COOKIE, self.cookie())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = request.send(body).expect("the provider answers");
        match self.arrive(&url, response) {
            Place::Elsewhere(next) if self.is_mine(&next) => self.open(&next),
            place => place,
        }
    }

    fn arrive(&mut self, url: &str, mut response: Response<ureq::Body>) -> Place {
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap_or_default().split(';').next();
            if let Some((name, value)) = pair.unwrap_or_default().split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let location = response.headers().get(header::LOCATION);
        if let Some(location) = location.and_then(|value| value.to_str().ok()) {
            return Place::Elsewhere(self.absolute(url, location));
        }
        Place::Page(Page {
            url: url.to_owned(),
            html: response.body_mut().read_to_string().expect("a page"),
        })
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.iter();
        let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn is_mine(&self, url: &str) -> bool {
        url.strip_prefix(&self.origin)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    fn absolute(&self, base: &str, url: &str) -> String {
        match url {
            "" => base.to_owned(),
            url if url.starts_with('/') => format!("{}{url}", self.origin),
            url => url.to_owned(),
        }
    }
}

impl Page {
    /// What it shows, as HTML.
    pub fn html(&self) -> &str {
        &self.html
    }
}

/// The same way in a real browser (Chromium), with its scripts: opens `url`, fills in the forms, and gives the address that
/// begins with `stop`.
///
/// # Panics
/// If it does not get there.
pub fn chromium(url: &str, stop: &str, forms: &[&[(&str, &str)]]) -> String {
    let object = |form: &&[(&str, &str)]| -> Map<String, Value> {
        let members = form.iter();
        members
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect()
    };
    let forms: Vec<_> = forms.iter().map(object).collect();
    let input = json!({ "url": url, "stop": stop, "forms": forms }).to_string();
    let mut script = Command::new(node::interpreter());
    script.arg(node::script("login.mjs"));
    let ended = output_within(Duration::from_secs(300), &mut script, input.as_bytes());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "login.mjs: {said}");
    String::from_utf8(ended.stdout).expect("an address")
}

/// An attribute of the tag that `tag` begins with or is.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&#x3D;", "="))
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Browser({})", self.origin)
    }
}
