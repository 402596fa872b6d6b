//! The HTML form of a project page (PEP 503), and pages of links in general.

use std::convert::Infallible;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use url::Url;

use super::json::check_api_version;
use super::link::LinkBase;
use crate::names::PackageName;
use crate::simple_page::{CoreMetadataFile, PageError, ProjectPage, ProjectStatus, Row};

pub(crate) fn read(content: &[u8], page_url: &Url, project: &PackageName) -> Result<ProjectPage, PageError> {
    let mut reader = PageReader {
        element: Element::Other,
        attribute: String::new(),
        anchor: AnchorElement::default(),
        meta: Default::default(),
        api_version: None,
        status: None,
        status_reason: None,
        page: ProjectPage::default(),
        links: LinkBase { page: page_url, base: base_url(content, page_url) },
        project,
    };
    walk(content, |event| reader.event(event));
    check_api_version(reader.api_version.as_deref())?;
    reader.page.check_size()?;
    let status = reader.status.map(|status| ProjectStatus { status, reason: reader.status_reason });
    Ok(ProjectPage { status, ..reader.page })
}

fn walk(content: &[u8], mut event: impl FnMut(CallbackEvent<'_>)) {
    let mut emitter = CallbackEmitter::new(|of_page: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
        event(of_page);
        None
    });
    // The text of scripts and styles has no tags.
    emitter.naively_switch_states(true);
    // Reading from memory cannot fail, and every text is some HTML.
    let Ok(()) = Tokenizer::new_with_emitter(content, emitter).finish();
}

/// What the links are relative to, wherever on the page the first `<base href>` is. It is looked for before the links
/// are read, so that each can be judged at once: a list of all links of a large page would need much memory.
fn base_url(content: &[u8], page_url: &Url) -> Url {
    let is_tag = |tag: &[u8]| tag.eq_ignore_ascii_case(b"<base");
    if !content.windows(5).any(is_tag) {
        return page_url.clone();
    }
    let (mut is_base, mut is_href, mut href) = (false, false, String::new());
    walk(content, |event| match event {
        CallbackEvent::OpenStartTag { name } => is_base = name == b"base",
        CallbackEvent::AttributeName { name } => is_href = name == b"href",
        CallbackEvent::AttributeValue { value } if is_base && is_href && href.is_empty() => {
            href = String::from_utf8_lossy(value).into_owned();
        }
        _ => {}
    });
    page_url.join(href.trim()).unwrap_or_else(|_| page_url.clone())
}

/// Takes the content of a page while the tokenizer walks through it.
struct PageReader<'read> {
    /// The tag whose attributes are being read.
    element: Element,
    attribute: String,
    anchor: AnchorElement,
    meta: (String, String),
    api_version: Option<String>,
    status: Option<String>,
    status_reason: Option<String>,
    page: ProjectPage,
    links: LinkBase<'read>,
    project: &'read PackageName,
}

#[derive(PartialEq)]
enum Element {
    Anchor,
    Meta,
    Other,
}

/// The attributes of a link which are of interest; one that is given without a value is empty.
#[derive(Default)]
struct AnchorElement {
    href: Option<String>,
    requires_python: Option<String>,
    yanked: Option<String>,
    core_metadata: Option<String>,
    old_core_metadata: Option<String>,
    upload_time: Option<String>,
}

impl PageReader<'_> {
    fn event(&mut self, event: CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.element = match name {
                    b"a" => Element::Anchor,
                    b"meta" => Element::Meta,
                    _ => Element::Other,
                };
            }
            CallbackEvent::AttributeName { name } if self.element != Element::Other => {
                self.attribute.clear();
                self.attribute.push_str(&String::from_utf8_lossy(name));
                self.value(b"");
            }
            CallbackEvent::AttributeValue { value } if self.element != Element::Other => self.value(value),
            CallbackEvent::CloseStartTag { .. } => self.close(),
            _ => {}
        }
    }

    /// Keeps the value of the current attribute; comes once with nothing, and again if there is a value.
    fn value(&mut self, value: &[u8]) {
        let field = match (&self.element, self.attribute.as_str()) {
            (Element::Anchor, "href") => &mut self.anchor.href,
            (Element::Anchor, "data-requires-python") => &mut self.anchor.requires_python,
            (Element::Anchor, "data-yanked") => &mut self.anchor.yanked,
            (Element::Anchor, "data-core-metadata") => &mut self.anchor.core_metadata,
            (Element::Anchor, "data-dist-info-metadata") => &mut self.anchor.old_core_metadata,
            (Element::Anchor, "data-upload-time") => &mut self.anchor.upload_time,
            (Element::Meta, "name") => {
                self.meta.0 = String::from_utf8_lossy(value).into_owned();
                return;
            }
            (Element::Meta, "content") => {
                self.meta.1 = String::from_utf8_lossy(value).into_owned();
                return;
            }
            _ => return,
        };
        *field = Some(String::from_utf8_lossy(value).into_owned());
    }

    fn close(&mut self) {
        match self.element {
            Element::Anchor => {
                let anchor = std::mem::take(&mut self.anchor);
                if anchor.href.as_deref().is_some_and(|href| !href.is_empty()) {
                    self.page.add(anchor.row(), &self.links, self.project);
                }
            }
            Element::Meta => {
                let (name, content) = std::mem::take(&mut self.meta);
                match name.as_str() {
                    "pypi:repository-version" => self.api_version = Some(content),
                    "pypi:project-status" => self.status = Some(content),
                    "pypi:project-status-reason" => self.status_reason = Some(content),
                    _ => {}
                }
            }
            Element::Other => {}
        }
        self.element = Element::Other;
    }
}

impl AnchorElement {
    fn row(self) -> Row<'static> {
        // PEP 714: the old name counts only where the new one is missing.
        let core_metadata = self.core_metadata.or(self.old_core_metadata);
        Row {
            link: self.href.map(Into::into),
            requires_python: self.requires_python.map(Into::into),
            yanked: self.yanked,
            core_metadata: core_metadata.map(|value| core_metadata_file(&value)).unwrap_or_default(),
            upload_time: self.upload_time.map(Into::into),
            ..Row::default()
        }
    }
}

/// `true`, or `sha256=…`. Any other value still announces a file, without a hash.
fn core_metadata_file(value: &str) -> CoreMetadataFile {
    let sha256 = value.strip_prefix("sha256=").map(str::to_ascii_lowercase);
    if sha256.is_none() && value.trim().eq_ignore_ascii_case("false") {
        return CoreMetadataFile::Absent;
    }
    CoreMetadataFile::Available { sha256 }
}
