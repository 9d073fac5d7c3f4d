//! End-to-end tests: one binary, because each one links wasmtime; one module for each behaviour.

mod common;
mod native_and_wasm_answer_alike;
mod simulated_days_keep_the_invariants;
mod the_component_imports_nothing_it_need_not;
