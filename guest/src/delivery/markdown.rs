//! stub
pub fn to_qq(text: &str) -> String {
    text.to_owned()
}
pub fn to_plain(text: &str) -> String {
    text.to_owned()
}
pub fn stable_prefix(text: &str) -> &str {
    text
}
