//! `#[derive(PluginConfig)]`, which `backworks-plugin-sdk` re-exports.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::{format_ident, quote};
use syn::{Attribute, Data, DeriveInput, Error, Fields, Result, parse_macro_input};

/// Makes a struct the typed configuration of a plugin, and derives its JSON Schema from the same fields. An
/// enum without fields becomes a choice of strings, for use in such a struct.
///
/// Doc comments become descriptions. `#[serde(...)]` and `#[schemars(...)]` attributes on the struct and
/// on its members work as they do with those crates' own derives.
#[proc_macro_derive(PluginConfig, attributes(serde, schemars))]
pub fn plugin_config(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Both derives need the `crate` attribute, and neither can be added to an existing type. Therefore a twin of
/// the type carries the derives, and the type is converted from its twin.
fn expand(input: &DeriveInput) -> Result<Tokens> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "PluginConfig does not support generics",
        ));
    }
    let (name, attributes) = (&input.ident, kept(&input.attrs));
    let twin = format_ident!("{name}Fields");
    let title = name.to_string();
    let (twin_type, from_twin) = mirror(input, &twin)?;
    let sdk = quote!(::backworks_plugin_sdk::__private);
    Ok(quote! {
        const _: () = {
            #[derive(#sdk::serde::Deserialize, #sdk::schemars::JsonSchema)]
            #[serde(crate = "::backworks_plugin_sdk::__private::serde")]
            #[schemars(crate = "::backworks_plugin_sdk::__private::schemars", rename = #title)]
            #(#attributes)*
            #twin_type

            impl<'de> #sdk::serde::Deserialize<'de> for #name {
                fn deserialize<D: #sdk::serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::core::result::Result<Self, D::Error> {
                    let twin = #sdk::serde::Deserialize::deserialize(deserializer)?;
                    ::core::result::Result::Ok(#from_twin)
                }
            }

            impl #sdk::schemars::JsonSchema for #name {
                fn schema_name() -> ::std::borrow::Cow<'static, str> {
                    <#twin as #sdk::schemars::JsonSchema>::schema_name()
                }

                fn json_schema(generator: &mut #sdk::schemars::SchemaGenerator) -> #sdk::schemars::Schema {
                    <#twin as #sdk::schemars::JsonSchema>::json_schema(generator)
                }
            }

            impl ::backworks_plugin_sdk::PluginConfig for #name {}
        };
    })
}

/// Attributes for the two derives. Others belong to derives that the twin does not have.
fn kept(attributes: &[Attribute]) -> Vec<&Attribute> {
    let known = ["serde", "schemars", "doc"];
    attributes
        .iter()
        .filter(|attribute| known.iter().any(|name| attribute.path().is_ident(name)))
        .collect()
}

/// The twin's definition, and the expression that converts a value `twin` into the type.
fn mirror(input: &DeriveInput, twin: &proc_macro2::Ident) -> Result<(Tokens, Tokens)> {
    match &input.data {
        Data::Struct(data) if !matches!(data.fields, Fields::Unnamed(_)) => {
            let fields = &data.fields;
            let definitions = fields.iter().map(|field| {
                let (attributes, name, kind) = (kept(&field.attrs), &field.ident, &field.ty);
                quote!(#(#attributes)* #name: #kind)
            });
            let names: Vec<_> = fields.iter().map(|field| &field.ident).collect();
            Ok((
                quote!(struct #twin { #(#definitions),* }),
                quote!({
                    let #twin { #(#names),* } = twin;
                    Self { #(#names),* }
                }),
            ))
        }
        Data::Enum(data)
            if data
                .variants
                .iter()
                .all(|variant| variant.fields.is_empty()) =>
        {
            let definitions = data.variants.iter().map(|variant| {
                let (attributes, name) = (kept(&variant.attrs), &variant.ident);
                quote!(#(#attributes)* #name)
            });
            let names: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
            Ok((
                quote!(enum #twin { #(#definitions),* }),
                quote!(match twin { #(#twin::#names => Self::#names),* }),
            ))
        }
        _ => Err(Error::new_spanned(
            input,
            "PluginConfig is for structs with named fields, whose names are keys of the config block, \
             and for enums without fields",
        )),
    }
}
