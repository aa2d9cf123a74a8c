//! Paths, policies and revocation lists against OpenSSL: what is believed here is believed there.
//!
//! The input is the number of a case of NIST's suite and changes of its certificates and lists, which are signed again.
#![no_main]

use core::ffi::c_int;
use std::sync::LazyLock;

use foreign_types_shared::{ForeignType as _, ForeignTypeRef as _};
use libfuzzer_sys::fuzz_target;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509Crl, X509StoreContext};
use privyseal::pki::Certificates;
use privyseal::pki::crl::Crl;
use privyseal::pki::path::PathOptions;
use privyseal::pki::revocation::RevocationOptions;
use privyseal_core::UnixTime;
use privyseal_fuzz::pkits::{Object, Pkits};
use privyseal_fuzz::tree::Edit;

const NOW: u64 = 1_767_225_600;

/// The list's signer is covered by the list that it signs, which OpenSSL does not follow.
const DIFFERS: &str = "valid_crlissuer_test30";

/// Whether OpenSSL refuses by rules of its own, and not by RFC 5280 section 6.1: it looks for issuers by key identifiers,
/// which are hints (RFC 4158 section 3.5.12), and never for another of the same name where the first did not sign, or is
/// its own issuer; and it takes a commonName for a host's, which must then have no NUL.
fn is_its_own_rule(case: &str, error: i32) -> bool {
    const NO_ISSUER: i32 = 20;
    const NAME_SYNTAX: i32 = 53;
    const BAD_SIGNATURE: i32 = 7;
    const SELF_SIGNED: i32 = 19;
    const NO_LIST: i32 = 3;
    [NO_ISSUER, NAME_SYNTAX].contains(&error)
        || (case.contains("self_issued") && [BAD_SIGNATURE, SELF_SIGNED, NO_LIST].contains(&error))
}

static PKITS: LazyLock<Pkits> = LazyLock::new(Pkits::load);

fuzz_target!(|data: &[u8]| {
    let Some((&[high, low], edits)) = data.split_first_chunk::<2>() else {
        return;
    };
    let number = usize::from(u16::from_be_bytes([high, low])) % PKITS.cases.len();
    let case = &PKITS.cases[number];
    if case.name == DIFFERS {
        return;
    }
    let mut objects = case.objects.clone();
    for edit in edits.chunks_exact(8) {
        change(&mut objects, edit);
    }
    let der = |is_list: bool| {
        let chosen = objects
            .iter()
            .filter(move |object| object.is_list == is_list);
        chosen.map(|object| PKITS.sign(object)).collect::<Vec<_>>()
    };
    let (certificates, lists) = (der(false), der(true));
    if believed(&certificates, &lists) {
        if let Err(reason) = believed_by_openssl(&case.name, &certificates, &lists) {
            panic!("{}: OpenSSL says {reason}", case.name);
        }
    }
});

/// Which object, which element (two bytes), what is done, its two arguments, and from which object and element it takes.
fn change(objects: &mut [Object], edit: &[u8]) {
    let &[object, high, low, kind, a, b, from, element] = edit else {
        return;
    };
    let count = objects.len();
    let other = &objects[usize::from(from) % count].tbs;
    let other = other.nth(&mut usize::from(element)).cloned();
    let tbs = &mut objects[usize::from(object) % count].tbs;
    tbs.edit(
        &mut usize::from(u16::from_be_bytes([high, low])),
        Edit { kind, a, b },
        other.as_ref(),
    );
}

/// A list that cannot be read is refused by name, and nothing is judged.
fn believed(certificates: &[Vec<u8>], lists: &[Vec<u8>]) -> bool {
    let lists = lists.iter().map(|der| Crl::from_der(der.clone()));
    let Ok(lists) = lists.collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    let trust = Certificates::from(vec![PKITS.anchor.clone()]);
    let options = PathOptions::at(UnixTime::from_secs(NOW).expect("a moment"));
    Certificates::from(certificates.to_vec())
        .prove(&trust, &options, RevocationOptions::files(&lists))
        .is_ok()
}

fn believed_by_openssl(
    case: &str,
    certificates: &[Vec<u8>],
    lists: &[Vec<u8>],
) -> Result<(), String> {
    let text = |error: openssl::error::ErrorStack| error.to_string();
    let mut store = X509StoreBuilder::new().map_err(text)?;
    store
        .add_cert(X509::from_der(&PKITS.anchor).map_err(text)?)
        .map_err(text)?;
    let lists: Vec<_> = lists
        .iter()
        .filter_map(|list| X509Crl::from_der(list).ok())
        .collect();
    let mut param = X509VerifyParam::new().map_err(text)?;
    let flags = X509VerifyFlags::CRL_CHECK
        | X509VerifyFlags::CRL_CHECK_ALL
        | X509VerifyFlags::EXTENDED_CRL_SUPPORT
        | X509VerifyFlags::USE_DELTAS
        | X509VerifyFlags::POLICY_CHECK;
    param.set_flags(flags).map_err(text)?;
    param.set_time(NOW as i64);
    accept_any_policy(&mut param);
    store.set_param(&param).map_err(text)?;
    let store = store.build();
    let mut others = Stack::new().map_err(text)?;
    for der in &certificates[1..] {
        if let Ok(other) = X509::from_der(der) {
            others.push(other).map_err(text)?;
        }
    }
    let leaf = X509::from_der(&certificates[0]).map_err(text)?;
    let mut context = X509StoreContext::new().map_err(text)?;
    let verified = context.init(&store, &leaf, &others, |context| {
        let lists = Lists::new(&lists);
        // SAFETY: the lists and their stack live longer than the verification.
        unsafe { X509_STORE_CTX_set0_crls(context.as_ptr(), lists.stack.cast()) };
        Ok((
            context.verify_cert()?,
            context.error(),
            context.error_depth(),
        ))
    });
    match verified.map_err(text)? {
        (true, _, _) => Ok(()),
        (false, error, _) if is_its_own_rule(case, error.as_raw()) => Ok(()),
        (false, error, depth) => Err(format!(
            "{} ({}) at {depth}",
            error.error_string(),
            error.as_raw()
        )),
    }
}

// What the crate `openssl` has no names for.
unsafe extern "C" {
    fn X509_STORE_CTX_set0_crls(
        context: *mut openssl_sys::X509_STORE_CTX,
        lists: *mut openssl_sys::stack_st_X509_CRL,
    );
    fn X509_VERIFY_PARAM_add0_policy(
        param: *mut openssl_sys::X509_VERIFY_PARAM,
        policy: *mut openssl_sys::ASN1_OBJECT,
    ) -> c_int;
}

/// OpenSSL takes no set of policies for an empty one.
fn accept_any_policy(param: &mut X509VerifyParam) {
    let any = c"2.5.29.32.0".as_ptr();
    // SAFETY: the text is alive, and the parameters own the identifier from then on.
    unsafe { X509_VERIFY_PARAM_add0_policy(param.as_ptr(), openssl_sys::OBJ_txt2obj(any, 1)) };
}

/// Lists of any issuer: of those in its store OpenSSL asks for those of the certificate's issuer alone.
struct Lists<'l> {
    stack: *mut openssl_sys::OPENSSL_STACK,
    _lists: &'l [X509Crl],
}

impl<'l> Lists<'l> {
    fn new(lists: &'l [X509Crl]) -> Self {
        // SAFETY: the stack holds the lists' addresses and does not own them.
        let stack = unsafe { openssl_sys::OPENSSL_sk_new_null() };
        for list in lists {
            // SAFETY: as above.
            unsafe { openssl_sys::OPENSSL_sk_push(stack, list.as_ptr().cast()) };
        }
        Self {
            stack,
            _lists: lists,
        }
    }
}

impl Drop for Lists<'_> {
    fn drop(&mut self) {
        // SAFETY: it was made above, and is used by nobody any more.
        unsafe { openssl_sys::OPENSSL_sk_free(self.stack) };
    }
}
