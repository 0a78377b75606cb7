//! The dashboard as files: these hold whether it was built or not.
use super::*;

fn get(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[test]
fn pages_are_for_browsers_and_the_interface_is_left_alone() {
    let html = ("accept", "text/html,application/xhtml+xml;q=0.9");
    let html = std::slice::from_ref(&html);
    for path in ["/", "/runs", "/runs/0198", "/workflows/a/b"] {
        let response = answer(&get(path, html)).unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
    }
    assert!(answer(&get("/api/v1/nothing", html)).is_none());
    assert!(answer(&get("/runs", &[("accept", "*/*")])).is_none());
    assert!(answer(&get("/assets/missing.js", &[])).is_none());
    let mut post = get("/runs", html);
    *post.method_mut() = Method::POST;
    assert!(answer(&post).is_none());
}

#[test]
fn a_page_that_is_known_is_not_sent_again() {
    let html = ("accept", "text/html");
    let first = answer(&get("/", &[html])).unwrap();
    let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again = answer(&get("/", &[html, ("if-none-match", &tag)])).unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let changed = answer(&get("/", &[html, ("if-none-match", "\"0\"")])).unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
}

#[test]
fn only_a_plain_path_is_taken_from_a_proxy() {
    for (given, taken) in [
        ("/flows", "/flows"),
        ("/a/b-c/", "/a/b-c"),
        ("/", ""),
        ("flows", ""),
        ("//evil.example", ""),
        ("/a//b", ""),
        ("/a\"><script>", ""),
        ("/a b", ""),
    ] {
        let request = get("/", &[(PREFIX, given)]);
        assert_eq!(prefix(request.headers()), taken, "{given}");
    }
    let long = format!("/{}", "a".repeat(PREFIX_BYTES_MAX));
    assert_eq!(prefix(get("/", &[(PREFIX, &long)]).headers()), "");
}
