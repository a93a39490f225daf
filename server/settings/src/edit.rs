//! Writing settings files for a person, with every comment kept.

use camino::{Utf8Path, Utf8PathBuf};
use countersign_core::rules::RuleList;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};

use crate::descriptor::Descriptor;
use crate::document::{self, Node, Value};
use crate::extract;
use crate::file::{self, Content, Location};
use crate::places::{Places, WORKSPACE_FILE};
use crate::private::{self, Lock, StateFileError};
use crate::table::key;

/// Why a settings file was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The file cannot be read as settings.
    #[error("`{file}` is not changed: {reason}; mend it first")]
    Broken {
        /// The file.
        file: Utf8PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The setting is none of those that can be set, or would not take the
    /// value. The value is not repeated.
    #[error("`{key}` is not set: {problem}")]
    Refused {
        /// The setting.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// The file or the state cannot be written.
    #[error(transparent)]
    Write(#[from] StateFileError),
}

/// The settings file that a rule goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleFile<'w> {
    /// The user's.
    User,
    /// That of this workspace folder.
    Workspace(&'w Utf8Path),
}

const LOCK: &str = "settings.lock";

/// Keeps in the user's settings that the person chose auto mode.
///
/// # Errors
/// When the file is broken or cannot be written.
pub fn acknowledge_auto(places: &Places) -> Result<(), EditError> {
    set_user_values(places, &[(key::ACKNOWLEDGED, true.into())])
}

/// Sets values in the user's settings, such as `permissions.autoMode.classifier.model`;
/// `null` takes a setting out. All of them, or none: a value that would not be
/// read is refused before anything is written.
///
/// # Errors
/// When a key is no setting or holds a list, when its value would not be read,
/// when the file is broken or cannot be written.
pub fn set_user_values(
    places: &Places,
    values: &[(&str, serde_json::Value)],
) -> Result<(), EditError> {
    for (key, value) in values {
        check(key, value).map_err(|problem| EditError::Refused {
            key: (*key).to_owned(),
            problem,
        })?;
    }
    change(places, &Location::Own(places.user_file()), |root| {
        values
            .iter()
            .try_for_each(|(key, value)| set(root, key, value))
    })
}

fn check(key: &str, value: &serde_json::Value) -> Result<(), String> {
    let setting = Descriptor::find(key)
        .filter(|setting| !setting.kind.is_list())
        .ok_or("there is no setting of that name with a single value")?;
    extract::read(setting.kind, &Node::from_json(value).value).map(drop)
}

fn set(root: &CstObject, key: &str, value: &serde_json::Value) -> Result<(), String> {
    let (parents, name) = key.rsplit_once('.').unwrap_or(("", key));
    let parents = parents.split('.').filter(|parent| !parent.is_empty());
    let Some(value) = input(value) else {
        let mut holder = Some(root.clone());
        for parent in parents {
            holder = holder.and_then(|holder| holder.object_value(parent));
        }
        if let Some(property) = holder.and_then(|holder| holder.get(name)) {
            property.remove();
        }
        return Ok(());
    };
    let mut holder = root.clone();
    for parent in parents {
        holder = object(&holder, parent)?;
    }
    match holder.get(name) {
        Some(property) => property.set_value(value),
        None => {
            holder.append(name, value);
        }
    }
    Ok(())
}

/// A single value, as the editor of the text takes it; none for `null`. Lists
/// and objects were refused before.
fn input(value: &serde_json::Value) -> Option<CstInputValue> {
    use serde_json::Value as Json;
    match value {
        Json::Bool(flag) => Some(CstInputValue::Bool(*flag)),
        Json::Number(number) => Some(CstInputValue::Number(number.to_string())),
        Json::String(text) => Some(CstInputValue::String(text.clone())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Adds a rule to a list of a settings file, unless it is there already.
///
/// # Errors
/// When the file is broken or cannot be written.
pub fn add_rule(
    places: &Places,
    file: RuleFile<'_>,
    list: RuleList,
    rule: &str,
) -> Result<(), EditError> {
    let location = match file {
        RuleFile::User => Location::Own(places.user_file()),
        RuleFile::Workspace(folder) => Location::Workspace {
            folder: folder.to_owned(),
            below: Utf8PathBuf::from(WORKSPACE_FILE),
        },
    };
    let name = match list {
        RuleList::Allow => key::ALLOW,
        RuleList::Ask => key::ASK,
        RuleList::Deny => key::DENY,
    };
    change(places, &location, |root| {
        let permissions = object(root, "permissions")?;
        let name = name.rsplit('.').next().unwrap_or(name);
        let rules = permissions
            .array_value_or_create(name)
            .ok_or_else(|| format!("`permissions.{name}` is not a list"))?;
        let is_there = rules.elements().iter().any(|element| {
            element
                .as_string_lit()
                .and_then(|text| text.decoded_value().ok())
                .is_some_and(|text| text == rule)
        });
        if !is_there {
            rules.ensure_multiline();
            rules.append(CstInputValue::String(rule.to_owned()));
        }
        Ok(())
    })
}

fn object(parent: &CstObject, name: &str) -> Result<CstObject, String> {
    parent
        .object_value_or_create(name)
        .ok_or_else(|| format!("`{name}` is not an object"))
}

fn change(
    places: &Places,
    location: &Location,
    work: impl FnOnce(&CstObject) -> Result<(), String>,
) -> Result<(), EditError> {
    let path = location.path();
    let broken = |reason: String| EditError::Broken {
        file: path.clone(),
        reason,
    };
    let _lock = Lock::wait(&places.state_dir, LOCK)?;
    let before = match file::read(location) {
        Content::Text(text) => Some(text),
        Content::Missing => None,
        Content::Unusable(reason) => return Err(broken(reason)),
    };
    let text = document::without_mark(before.as_deref().unwrap_or_default());
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let parsed = Node::parse(text).map_err(|malformed| {
        let place = malformed.position.map_or_else(String::new, |at| {
            format!(" at line {}, column {}", at.line, at.column)
        });
        broken(format!("{}{place}", malformed.message))
    })?;
    if let Some(duplicate) = parsed.as_ref().and_then(duplicate) {
        return Err(broken(format!("`{duplicate}` stands there twice")));
    }
    let root = CstRootNode::parse(text, &document::parse_options())
        .map_err(|error| broken(error.to_string()))?;
    let settings = root
        .object_value_or_create()
        .ok_or_else(|| broken("it is not an object".to_owned()))?;
    work(&settings).map_err(&broken)?;
    let after = root.to_string();
    // Better no change than a file that the guard itself cannot read.
    if Node::parse(&after).ok().flatten().is_none() {
        return Err(broken("the change would damage it".to_owned()));
    }
    if before.as_deref() == Some(after.as_str()) {
        return Ok(());
    }
    write(location, &path, &after, before.is_some())
}

/// A key that stands twice: the edit could go to the one that does not count.
fn duplicate(node: &Node) -> Option<&str> {
    let Value::Object(members) = &node.value else {
        return None;
    };
    let mut seen = std::collections::HashSet::new();
    members
        .iter()
        .find(|member| !seen.insert(member.name.as_str()))
        .map(|member| member.name.as_str())
        .or_else(|| members.iter().find_map(|member| duplicate(&member.node)))
}

fn write(location: &Location, path: &Utf8Path, text: &str, exists: bool) -> Result<(), EditError> {
    // A settings file that is a link into somebody's collection of dot files
    // stays one; what it leads to was checked when it was read.
    let target = match location {
        Location::Own(_) if exists => path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned()),
        Location::Own(_) | Location::Workspace { .. } => path.to_owned(),
    };
    let mode = std::fs::metadata(&target).map_or(
        match location {
            Location::Own(_) => 0o600,
            Location::Workspace { .. } => 0o644,
        },
        |metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777,
    );
    if let Some(folder) = target.parent()
        && !folder.exists()
    {
        match location {
            Location::Own(_) => private::private_directory(folder)?,
            Location::Workspace { .. } => private::directory(folder)?,
        }
    }
    private::replace(&target, text, mode)?;
    Ok(())
}
