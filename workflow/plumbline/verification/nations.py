"""Adjectives of countries, and which countries are parts of others."""

from __future__ import annotations

_ADJECTIVES = """
Afghanistan: Afghan; Albania: Albanian; Algeria: Algerian; Andorra: Andorran; Angola: Angolan
Antigua and Barbuda: Antiguan; Argentina: Argentine, Argentinian; Armenia: Armenian
Australia: Australian; Austria: Austrian; Azerbaijan: Azerbaijani; Bahamas: Bahamian
Bahrain: Bahraini; Bangladesh: Bangladeshi; Barbados: Barbadian; Belarus: Belarusian
Belgium: Belgian; Belize: Belizean; Benin: Beninese; Bhutan: Bhutanese; Bolivia: Bolivian
Bosnia and Herzegovina: Bosnian; Botswana: Botswanan; Brazil: Brazilian; Brunei: Bruneian
Bulgaria: Bulgarian; Burkina Faso: Burkinabe; Burundi: Burundian; Cambodia: Cambodian
Cameroon: Cameroonian; Canada: Canadian; Cape Verde: Cape Verdean; Chad: Chadian; Chile: Chilean
China: Chinese; Colombia: Colombian; Comoros: Comorian; Costa Rica: Costa Rican
Croatia: Croatian; Cuba: Cuban; Cyprus: Cypriot; Czechia: Czech; Denmark: Danish
Democratic Republic of the Congo: Congolese; Republic of the Congo: Congolese
Djibouti: Djiboutian; Dominican Republic: Dominican; East Timor: Timorese; Ecuador: Ecuadorian
Egypt: Egyptian; El Salvador: Salvadoran; England: English; Eritrea: Eritrean
Estonia: Estonian; Ethiopia: Ethiopian; Fiji: Fijian; Finland: Finnish; France: French
Gabon: Gabonese; Gambia: Gambian; Georgia: Georgian; Germany: German; Ghana: Ghanaian
Greece: Greek; Grenada: Grenadian; Guatemala: Guatemalan; Guinea: Guinean; Guyana: Guyanese
Haiti: Haitian; Honduras: Honduran; Hungary: Hungarian; Iceland: Icelandic; India: Indian
Indonesia: Indonesian; Iran: Iranian, Persian; Iraq: Iraqi; Ireland: Irish; Israel: Israeli
Italy: Italian; Ivory Coast: Ivorian; Jamaica: Jamaican; Japan: Japanese; Jordan: Jordanian
Kazakhstan: Kazakh, Kazakhstani; Kenya: Kenyan; Kuwait: Kuwaiti; Kyrgyzstan: Kyrgyz; Laos: Lao
Latvia: Latvian; Lebanon: Lebanese; Liberia: Liberian; Libya: Libyan; Lithuania: Lithuanian
Luxembourg: Luxembourgish; Madagascar: Malagasy; Malawi: Malawian; Malaysia: Malaysian
Maldives: Maldivian; Mali: Malian; Malta: Maltese; Mauritania: Mauritanian
Mauritius: Mauritian; Mexico: Mexican; Moldova: Moldovan; Mongolia: Mongolian
Montenegro: Montenegrin; Morocco: Moroccan; Mozambique: Mozambican; Myanmar: Burmese
Namibia: Namibian; Nepal: Nepalese, Nepali; Netherlands: Dutch; New Zealand: New Zealand
Nicaragua: Nicaraguan; Nigeria: Nigerian; North Korea: North Korean
North Macedonia: Macedonian; Norway: Norwegian; Oman: Omani; Pakistan: Pakistani
Panama: Panamanian; Paraguay: Paraguayan; Peru: Peruvian; Philippines: Filipino, Philippine
Poland: Polish; Portugal: Portuguese; Qatar: Qatari; Romania: Romanian; Russia: Russian
Rwanda: Rwandan; Samoa: Samoan; Saudi Arabia: Saudi, Saudi Arabian; Scotland: Scottish, Scots
Senegal: Senegalese; Serbia: Serbian; Sierra Leone: Sierra Leonean; Singapore: Singaporean
Slovakia: Slovak; Slovenia: Slovenian, Slovene; Somalia: Somali; South Africa: South African
South Korea: South Korean, Korean; South Sudan: South Sudanese; Soviet Union: Soviet
Spain: Spanish; Sri Lanka: Sri Lankan; Sudan: Sudanese; Suriname: Surinamese; Sweden: Swedish
Switzerland: Swiss; Syria: Syrian; Taiwan: Taiwanese; Tajikistan: Tajik; Tanzania: Tanzanian
Thailand: Thai; Togo: Togolese; Tonga: Tongan; Trinidad and Tobago: Trinidadian
Tunisia: Tunisian; Turkey: Turkish; Turkmenistan: Turkmen; Uganda: Ugandan; Ukraine: Ukrainian
United Arab Emirates: Emirati; United Kingdom: British; United States: American
Uruguay: Uruguayan; Uzbekistan: Uzbek; Venezuela: Venezuelan; Vietnam: Vietnamese; Wales: Welsh
Yemen: Yemeni; Zambia: Zambian; Zimbabwe: Zimbabwean
"""

ADJECTIVES: dict[str, tuple[str, ...]] = {
    country: tuple(adjectives.split(", "))
    for entry in _ADJECTIVES.replace("\n", ";").split(";")
    if entry.strip()
    for country, _, adjectives in [entry.strip().partition(": ")]
}

CONTINENT_ADJECTIVES: dict[str, tuple[str, ...]] = {
    "Africa": ("African",),
    "Asia": ("Asian",),
    "Europe": ("European",),
    "North America": ("North American",),
    "South America": ("South American",),
}

# As somebody's country, a part and its whole do not contradict each other.
PART_OF: dict[str, str] = {
    **dict.fromkeys(("England", "Scotland", "Wales", "Northern Ireland"), "United Kingdom"),
    **dict.fromkeys(("Russia", "Ukraine", "Georgia", "Armenia", "Belarus"), "Soviet Union"),
    **dict.fromkeys(("Hong Kong", "Taiwan"), "China"),
}

# Longer names that contain a country's name or adjective but mean something else.
NOT_A_COUNTRY = (
    "US state",
    "American state",
    "South America",
    "North America",
    "Central America",
    "Latin America",
    "South American",
    "North American",
    "Latin American",
    "Central American",
    "African American",
    "Native American",
    "American Indian",
    "West Indian",
    "Indian Ocean",
    "Gulf of Mexico",
    "Persian Gulf",
    "New England",
    "New Mexico",
    "New South Wales",
    "Prince of Wales",
    "French Guiana",
    "French Polynesia",
    "Old English",
    "Ancient Greek",
)
