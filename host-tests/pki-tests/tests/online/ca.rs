//! A CA of OpenSSL's: a key, an index, and what it publishes.

use std::path::Path;

use privyseal::Certificates;
use privyseal::pki::pem;
use privyseal_test_base::tool::{command, run};
use privyseal_test_pki::test_key;
use tempfile::TempDir;

/// A CA whose certificates name lists and responders below one URL.
pub(crate) struct Ca(TempDir);

impl Ca {
    pub(crate) fn new(url: &str) -> Self {
        Self::of_key(url, "root")
    }

    /// One of the same name with another key.
    pub(crate) fn of_another_key(url: &str) -> Self {
        Self::of_key(url, "sub")
    }

    fn of_key(url: &str, key: &str) -> Self {
        let ca = Self(tempfile::tempdir().unwrap());
        let config = format!(
            "[ca]\ndefault_ca = it\n[it]\ndatabase = index.txt\nserial = serial\ncertificate = ca.pem\nprivate_key = ca.key\n\
             new_certs_dir = .\ndefault_md = sha256\npolicy = any\ndefault_days = 9\ndefault_crl_days = 9\ncrl_extensions = list\n\
             unique_subject = no\n[any]\ncommonName = supplied\n[list]\nauthorityKeyIdentifier = keyid\n[req]\n\
             distinguished_name = any\n[root]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign,cRLSign\n\
             subjectKeyIdentifier = hash\n[listed]\ncrlDistributionPoints = URI:{url}/list\n[asked]\n\
             authorityInfoAccess = OCSP;URI:{url}/ocsp\n[both]\nauthorityInfoAccess = OCSP;URI:{url}/ocsp\n\
             crlDistributionPoints = URI:{url}/list\n[responder]\nextendedKeyUsage = OCSPSigning\n[plain]\n\
             keyUsage = digitalSignature\n"
        );
        std::fs::write(ca.path().join("config"), config).unwrap();
        std::fs::write(ca.path().join("index.txt"), "").unwrap();
        std::fs::write(ca.path().join("serial"), "01\n").unwrap();
        ca.write_key("ca.key", key);
        let root = [
            "req",
            "-x509",
            "-config",
            "config",
            "-extensions",
            "root",
            "-key",
            "ca.key",
            "-subj",
            "/CN=CA",
        ];
        ca.openssl(&[&root[..], &["-days", "30", "-out", "ca.pem"]].concat());
        ca
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    fn write_key(&self, file: &str, name: &str) {
        std::fs::write(self.path().join(file), test_key(name, 2048).pkcs8_pem()).unwrap();
    }

    pub(crate) fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        run(command("openssl", arguments).current_dir(self.path()))
    }

    fn read(&self, name: &str) -> Vec<Vec<u8>> {
        let blocks = pem::blocks(&std::fs::read(self.path().join(name)).unwrap()).unwrap();
        blocks.into_iter().map(|block| block.der.to_vec()).collect()
    }

    pub(crate) fn root(&self) -> Certificates {
        self.read("ca.pem").into()
    }

    /// A certificate of these extensions for a key of that name, in files of that name.
    pub(crate) fn issue(&self, name: &str, extensions: &str) -> Certificates {
        let [key, csr, pem] = ["key", "csr", "pem"].map(|end| format!("{name}.{end}"));
        self.write_key(&key, name);
        let subject = format!("/CN={name}");
        self.openssl(&[
            "req", "-new", "-config", "config", "-key", &key, "-subj", &subject, "-out", &csr,
        ]);
        let issue = [
            "ca",
            "-batch",
            "-notext",
            "-config",
            "config",
            "-extensions",
            extensions,
        ];
        self.openssl(&[&issue[..], &["-in", &csr, "-out", &pem]].concat());
        self.read(&pem).into()
    }

    pub(crate) fn revoke(&self, name: &str) {
        self.openssl(&["ca", "-config", "config", "-revoke", &format!("{name}.pem")]);
    }

    /// A list of now, or with these options, PEM.
    pub(crate) fn list(&self, options: &[&str]) -> Vec<u8> {
        self.openssl(
            &[
                &["ca", "-config", "config", "-gencrl", "-out", "list.pem"],
                options,
            ]
            .concat(),
        );
        std::fs::read(self.path().join("list.pem")).unwrap()
    }

    /// What OpenSSL's responder says to a request, signed with the key and certificate of that name.
    pub(crate) fn respond(&self, request: &[u8], signer: &str, options: &[&str]) -> Vec<u8> {
        std::fs::write(self.path().join("request"), request).unwrap();
        let [key, pem] = ["key", "pem"].map(|end| format!("{signer}.{end}"));
        let ocsp = [
            "ocsp",
            "-index",
            "index.txt",
            "-CA",
            "ca.pem",
            "-rsigner",
            &pem,
            "-rkey",
            &key,
        ];
        self.openssl(
            &[
                &ocsp[..],
                &["-reqin", "request", "-respout", "response"],
                options,
            ]
            .concat(),
        );
        std::fs::read(self.path().join("response")).unwrap()
    }
}
