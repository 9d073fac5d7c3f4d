//! stub
pub fn without_links(_: &str) -> Option<String> {
    None
}
pub fn without_everyone(_: &str) -> Option<String> {
    None
}
