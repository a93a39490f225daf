//! What the product promises to people and agents, over a real service, a
//! real state and real files: an editor on one side, hooks on the other.

mod approvals;
mod changed;
mod clumsy;
mod commands;
mod degraded;
mod denials;
mod drawn;
mod edited;
mod fatigue;
mod hook;
mod hooks;
mod inside;
mod judged;
mod late;
mod layers;
mod midturn;
mod modes;
mod nested;
mod nonsense;
mod prompts;
mod refused;
mod rejudged;
mod remembered;
mod restart;
mod rows;
mod screen;
mod secrets;
mod told;
mod trust;
mod world;
